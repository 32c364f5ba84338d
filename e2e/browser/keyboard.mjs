// A page by keyboard alone: what the Tab key reaches and in which order, how the focus shows, what the Enter key sends.

/** What is wrong with the way of the Tab key through the page. */
export async function tabFaults(page) {
  const count = await page.evaluate(() => {
    const SELECTOR = 'a[href], button:enabled, input:enabled:not([type=hidden]), summary, [tabindex="0"]';
    const controls = [...document.querySelectorAll(SELECTOR)].filter((one) => one.checkVisibility({ visibilityProperty: true }));
    window.controls = controls;
    return controls.length;
  });
  const [faults, way] = [new Set(), []];
  // Once around, from wherever the page has put the focus; between the last and the first one it is nowhere.
  for (let press = 0; press < count + 2; press += 1) {
    await page.keyboard.press('Tab');
    const { at, wrong } = await page.evaluate(focused);
    for (const fault of wrong) faults.add(fault);
    if (at !== null) way.push(at);
  }
  const missed = Array.from({ length: count }, (_, at) => at).filter((at) => !way.includes(at));
  for (const at of missed) faults.add(`${await page.evaluate((one) => window.controls[one].outerHTML.slice(0, 80), at)} is not reached`);
  const jumps = way.slice(1).filter((at, before) => at !== (way[before] + 1) % count);
  if (!missed.length && jumps.length) faults.add(`the Tab key goes ${way.join(', ')}`);
  for (const fault of await page.evaluate(disorder)) faults.add(fault);
  for (const fault of await page.evaluate(lateMain)) faults.add(fault);
  return [...faults];
}

/** Which control has the focus, and what is wrong with how it shows. */
async function focused() {
  const element = document.activeElement;
  if (!element || element === document.body || element === document.documentElement) return { at: null, wrong: [] };
  const wrong = [];
  const say = (text) => wrong.push(`${element.outerHTML.slice(0, 80).replaceAll('\n', ' ')}: ${text}`);
  const at = window.controls.indexOf(element);
  if (at < 0) say('has the focus and is no control that shows');

  /** What is seen where these colours lie upon each other. */
  const seen = (colours) => {
    const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    for (const colour of colours) {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
    }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (colour) => {
    const [red, green, blue] = colour.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };

  const { outlineStyle, outlineColor, outlineWidth, outlineOffset } = getComputedStyle(element);
  const [ring, gap] = [parseFloat(outlineWidth), parseFloat(outlineOffset)];
  if (outlineStyle !== 'solid' || ring < 2) say(`its focus shows as ${outlineStyle} ${outlineWidth}`);
  const behind = [];
  for (let around = gap < 0 ? element : element.parentElement; around; around = around.parentElement) {
    behind.unshift(getComputedStyle(around).backgroundColor);
  }
  const [one, other] = [luminance(seen(behind)), luminance(seen([...behind, outlineColor]))];
  const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  if (contrast < 3) say(`its focus has a contrast of ${contrast.toFixed(2)}`);

  const { clientWidth, clientHeight } = document.documentElement;
  const around = gap + ring;
  /** Where its ring is. */
  const ringOf = () => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return { left: left - around, right: right + around, top: top - around, bottom: bottom + around };
  };
  const isSeen = ({ top, bottom }) => bottom - top > clientHeight || (top > -1 && bottom < clientHeight + 1);
  // The window is moved a little later.
  for (let frame = 0; frame < 10 && !isSeen(ringOf()); frame += 1) await new Promise(requestAnimationFrame);
  const outer = ringOf();
  if (!isSeen(outer)) say(`its focus is moved to ${outer.top.toFixed(1)} to ${outer.bottom.toFixed(1)} of a window of ${clientHeight} px`);
  if (outer.left < 0 || outer.right > clientWidth) say('its focus is cut off by the window');
  for (let edge = element.parentElement; edge && edge !== document.body; edge = edge.parentElement) {
    const { overflowX, overflowY } = getComputedStyle(edge);
    if (overflowX === 'visible' && overflowY === 'visible') continue;
    const within = edge.getBoundingClientRect();
    if (outer.left < within.left || outer.right > within.right || outer.top < within.top || outer.bottom > within.bottom) {
      say(`its focus is cut off by ${edge.localName}.${edge.className}`);
    }
  }
  // A link may be on two lines.
  const { left, right, top, bottom } = element.getClientRects()[0];
  const seenThere = document.elementFromPoint((left + right) / 2, Math.min((top + bottom) / 2, clientHeight - 1));
  if (!element.contains(seenThere)) say(`${seenThere?.outerHTML.slice(0, 60)} lies upon it`);
  return { at, wrong };
}

/** Controls that are seen before those that come earlier in the document. */
function disorder() {
  const boxes = window.controls.map((one) => one.getBoundingClientRect());
  return window.controls.slice(1).flatMap((one, at) => {
    const [first, then] = [boxes[at], boxes[at + 1]];
    const isAbove = then.bottom <= first.top + 1;
    const isBefore = then.right <= first.left + 1 && then.top < first.bottom && first.top < then.bottom;
    // A button in a field is at the end of the field.
    return isAbove || isBefore ? [`${one.outerHTML.slice(0, 80)} comes after what is seen behind it`] : [];
  });
}

/** Main buttons that stand behind others: what most people want comes first, side by side and one below the other. */
function lateMain() {
  const late = document.querySelectorAll('.actions > * ~ :is(.primary, .danger)');
  return [...late].map((one) => `${one.outerHTML.slice(0, 80)} comes after another button`);
}

/** What is wrong with what the Enter key sends: from a field by the main button, from a button by that one. */
export async function enterFaults(page) {
  const count = await page.evaluate(() => {
    window.sent = [];
    document.addEventListener('submit', (event) => {
      event.preventDefault();
      window.sent.push(event.submitter);
    }, true);
    window.senders = [...document.querySelectorAll('form input:not([type=hidden], [type=checkbox]), button:not([type=button])')]
      .filter((one) => one.form && one.checkVisibility({ visibilityProperty: true }));
    for (const { form } of window.senders) form.noValidate = true;
    return window.senders.length;
  });
  const faults = [];
  for (let at = 0; at < count; at += 1) {
    await page.evaluate((one) => {
      window.sent = [];
      window.senders[one].focus();
    }, at);
    await page.keyboard.press('Enter');
    faults.push(...await page.evaluate((one) => {
      const [sender, by] = [window.senders[one], window.sent[0]];
      const isRight = window.sent.length === 1 && (sender.localName === 'input' ? by?.matches('.primary') : by === sender);
      return isRight ? [] : [`Enter in ${sender.outerHTML.slice(0, 80)} sends ${window.sent.map((button) => button?.outerHTML.slice(0, 80))}`];
    }, at));
  }
  return faults;
}
