// axe-core, which knows the rules of WCAG that a program can judge, in a page of Chromium.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SOURCE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** What axe-core finds wrong with the page as it is; `rules` are its names of those to be looked at, else it is all of them. */
export async function axeViolations(page, rules) {
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(SOURCE);
  return page.evaluate(async (runOnly) => {
    const rules = { 'target-size': { enabled: true } };
    const { violations } = await window.axe.run(runOnly ? { runOnly } : { rules });
    return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, any, all, none }) =>
      `${id}: ${help}, at ${target.join(' ')} (${[...any, ...all, ...none].map(({ message }) => message).join('; ')})`));
  }, rules);
}
