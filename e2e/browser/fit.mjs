// Whether everything of a page fits into its window: measured where a browser has put each word and each control.

/** How high a main button and a field are at least, and any control at all (WCAG 2.2, success criterion 2.5.8). */
const SIZES = { main: 44, any: 24 };

/** What of the page is too wide, cut off, broken or too small in the window as it is, with type of this size. */
export function misfits(page, type = 16) {
  return page.evaluate(({ main, any, type }) => {
    const found = new Set();
    if (getComputedStyle(document.documentElement).fontSize !== `${type}px`) found.add('the type is of another size');
    const width = document.documentElement.clientWidth;
    const call = (element) => {
      const { id, className, name, value } = element;
      const marks = [id && `#${id}`, ...`${className?.baseVal ?? className}`.split(' ').filter(Boolean).map((one) => `.${one}`)];
      return `${element.localName}${marks.filter(Boolean).join('')}${name ? `[name=${name}${value ? `=${value}` : ''}]` : ''}`;
    };
    const isShown = (element) => element.checkVisibility({ visibilityProperty: true });
    // Lines of code keep their form, and are moved sideways by the keyboard.
    const isScrolled = (element) => element.closest('pre[tabindex="0"]');

    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) found.add(`the page scrolls sideways by ${root.scrollWidth - root.clientWidth} px`);

    /** Out of the window, or of something that cuts off. */
    const isCutOff = (element, box) => {
      if (box.left < -0.5 || box.right > width + 0.5) return true;
      for (let around = element; around && around !== document.body; around = around.parentElement) {
        const { overflowX, overflowY } = getComputedStyle(around);
        const edge = around.getBoundingClientRect();
        // Glyphs are a little higher than their line.
        if (overflowX !== 'visible' && (box.left < edge.left - 0.5 || box.right > edge.right + 0.5)) return true;
        if (overflowY !== 'visible' && (box.top < edge.top - 4 || box.bottom > edge.bottom + 4)) return true;
      }
      return false;
    };
    /** Out of the block that it stands in. */
    const sticksOut = (element, box) => {
      const block = (around) => (/^(inline|contents)$/.test(getComputedStyle(around).display) ? block(around.parentElement) : around);
      const edge = block(element).getBoundingClientRect();
      return box.left < edge.left - 1 || box.right > edge.right + 1;
    };
    const lines = (range) => new Set([...range.getClientRects()].filter((box) => box.width).map((box) => Math.round(box.top))).size;

    /** The place where the word is broken without a hyphen. */
    const brokenAt = (node, from, word) => {
      const range = document.createRange();
      const top = (at) => {
        range.setStart(node, from + at);
        range.setEnd(node, from + at + 1);
        return [...range.getClientRects()].at(-1)?.top;
      };
      for (let at = 1; at < word.length; at += 1) {
        const [before, after] = [top(at - 1), top(at)];
        const isNew = before !== undefined && after !== undefined && after > before + 4;
        if (isNew && !/[-\u00ad\u2010-\u2015\u200b/]/.test(word[at - 1])) return at;
      }
      return 0;
    };

    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || !isShown(element) || element.closest('script, style, svg') || isScrolled(element)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        if (!box.width) continue;
        const words = JSON.stringify(node.data.trim().slice(0, 40));
        if (isCutOff(element, box)) found.add(`${words} in ${call(element)} is cut off`);
        else if (sticksOut(element, box)) found.add(`${words} sticks out of ${call(element)}`);
      }
      if (element.closest('code, bdi, pre')) continue;
      for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
        // An address or a name for machines has no hyphens.
        if (!/^\p{P}*[\p{L}\p{M}\u00ad'’-]+\p{P}*$/u.test(word)) continue;
        range.setStart(node, index);
        range.setEnd(node, index + word.length);
        const at = lines(range) > 1 && brokenAt(node, index, word);
        if (at) found.add(`the word ${word.slice(0, at)}|${word.slice(at)} in ${call(element)} is broken without a hyphen`);
      }
    }

    const MAIN = '.actions button, .actions .button, .primary, .secondary, input:not([type=checkbox], [type=radio])';
    for (const control of document.querySelectorAll('a[href], button, input:not([type=hidden]), summary')) {
      if (!isShown(control)) continue;
      const box = control.getBoundingClientRect();
      if (isCutOff(control, box)) found.add(`${call(control)} is cut off`);
      // A link within a sentence is as high as its line.
      const isInline = getComputedStyle(control).display === 'inline';
      const least = control.matches(MAIN) ? main : any;
      const isSmall = box.height < least - 0.01 || box.width < any - 0.01;
      // What a label belongs to is pressed by the label, too.
      const label = control.labels?.[0]?.getBoundingClientRect();
      if (isSmall && !isInline && !(label?.height >= least)) found.add(`${call(control)} is ${box.width.toFixed(1)} × ${box.height.toFixed(1)} px`);
    }
    // An application is square, and a person round.
    for (const mark of document.querySelectorAll('.mark, .face')) {
      const { width: wide, height: high } = mark.getBoundingClientRect();
      if (Math.abs(wide - high) > 0.5) found.add(`${call(mark)} is ${wide.toFixed(1)} × ${high.toFixed(1)} px, and not as wide as high`);
    }
    return [...found];
  }, { ...SIZES, type });
}
