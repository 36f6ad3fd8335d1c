// What a report and a comparison look like on the page: from the program's sentences to elements.
// Whatever is not this page's own is only ever text here (textContent), never markup.

import {words} from './words.js';

// A sentence in the reader's language, with values in its placeholders.
export const t = (english, ...values) => {
  let next = 0;
  return (words[english] ?? english).replace(/\{(\d?)\}/g, (_, at) => values[at === '' ? next++ : Number(at)]);
};

export const element = (name, text, className) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};

const mark = (of) => {
  const made = element('span', of.glyph, 'mark');
  made.setAttribute('aria-hidden', 'true');
  return made;
};

export const verdict = (set) => {
  const card = element('div', undefined, `verdict tone-${set.mark}`);
  const word = element('p', undefined, 'word');
  word.append(mark(set), ' ' + set.word);
  const headline = element('h2', set.sentences);
  headline.tabIndex = -1;
  card.append(word, headline, element('p', set.name, 'muted'));
  if (set.doubt) card.append(element('p', set.doubt, 'small'));
  return card;
};

export const finding = (cause, index) => {
  const article = element('article', undefined, 'finding');
  const head = element('h3');
  head.id = `cause-${index + 1}`;
  article.setAttribute('aria-labelledby', head.id);
  head.append(element('span', String(index + 1), 'number'), ' ', element('bdi', cause.title));
  if (cause.doubt) head.append(' ', element('span', cause.doubt, 'tag'));
  article.append(head);
  if (cause.fix) {
    const fix = element('div', undefined, 'fix');
    const who = element('p', t('To be done by:') + ' ');
    who.append(element('span', cause.who, 'who'));
    fix.append(who, element('p', cause.fix));
    if (cause.rules.length > 0) {
      const more = element('details');
      more.append(element('summary', t('Traffic to allow, according to the vendor’s document')),
                  element('pre', cause.rules.join('\n')));
      fix.append(more);
    }
    article.append(fix);
  }
  if (cause.why) article.append(element('p', t('Why: {}', cause.why)));
  if (cause.affects) article.append(element('p', t('Affects: {}', cause.affects), 'muted small'));
  if (cause.since) article.append(element('p', `${cause.since}.`, 'muted small'));
  return article;
};

export const abilities = (set, several) => {
  const rows = element('ul', undefined, 'ability');
  rows.setAttribute('role', 'list');
  for (const one of set.capabilities) {
    const row = element('li', undefined, `tone-${one.mark}`);
    row.append(mark(one), element('b', one.title), element('span', one.told, 'told'));
    rows.append(row);
  }
  return several ? [element('h3', set.name), rows] : [rows];
};

// Values of the user's own have their titles here, not the command line's option.
export const reasons = (set, variables, several) => {
  const rows = element('ul', undefined, 'ability');
  rows.setAttribute('role', 'list');
  const title = (name) => variables.find((one) => one.name === name)?.title ?? name;
  for (const one of set.undecided) {
    const row = element('li', undefined, `tone-${one.mark}`);
    const told = one.told.replace(/--var (\w+)=\.\.\.( (?=--var))?/g,
                                  (_, name, more) => title(name) + (more ? ', ' : ''));
    row.append(mark(one), element('b', one.title), element('span', told, 'told'));
    rows.append(row);
  }
  if (set.undecided.length === 0) return [];
  return several ? [element('h3', set.name), rows] : [rows];
};

const trends = {better: [t('Better'), 'good', '✓'], worse: [t('Worse'), 'bad', '✕'],
                changed: [t('Changed'), 'unknown', '?'],
                unknown: [t('No longer known'), 'unknown', '?']};
const states = {ready: t('ready'), degraded: t('works with limits'), blocked: t('blocked'),
                unknown: t('not decided'), pass: t('good'), warn: t('not as it should be'),
                fail: t('does not work'), skip: t('not tested')};
export const changes = (difference) => {
  const parts = [];
  const when = new Date(difference.before.started_at).toLocaleString();
  parts.push(element('p', t('Previous result: {}.', when), 'muted'));
  for (const [trend, [word, tone, glyph]] of Object.entries(trends)) {
    const rows = difference.changes.filter((one) => one.trend === trend && one.of !== 'requirement')
      .map((one) => [one.title, `${states[one.before]} → ${states[one.after]}`]);
    for (const one of difference.findings.filter((other) => other.trend === trend)) {
      rows.push([one.title, trend === 'better' ? t('gone') : trend === 'worse' ? t('new') : one.note ?? t('worded differently')]);
    }
    if (rows.length === 0) continue;
    const items = element('ul', undefined, 'ability');
    items.setAttribute('role', 'list');
    for (const [name, told] of rows) {
      const row = element('li', undefined, `tone-${tone}`);
      row.append(mark({glyph}), element('b', name), element('span', told, 'told'));
      items.append(row);
    }
    parts.push(element('h3', word), items);
  }
  if (parts.length === 1) parts.push(element('p', t('Nothing has changed.')));
  for (const note of difference.notes) parts.push(element('p', note, 'muted small'));
  return parts;
};
