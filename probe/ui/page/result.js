// What a report and a comparison look like on the page: from the program's sentences to elements.
// Whatever is not this page's own is only ever text here (textContent), never markup.

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
    const who = element('p', 'Who has to do it: ');
    who.append(element('span', cause.who, 'who'));
    fix.append(who, element('p', cause.fix));
    if (cause.rules.length > 0) {
      const more = element('details');
      more.append(element('summary', 'To let through, by the vendor’s document'),
                  element('pre', cause.rules.join('\n')));
      fix.append(more);
    }
    article.append(fix);
  }
  if (cause.why) article.append(element('p', `Why: ${cause.why}`));
  if (cause.affects) article.append(element('p', `Affects: ${cause.affects}`, 'muted small'));
  if (cause.since) article.append(element('p', `Found ${cause.since}.`, 'muted small'));
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

const trends = {better: ['Better', 'good', '✓'], worse: ['Worse', 'bad', '✕'], changed: ['Changed', 'unknown', '?']};
const words = {ready: 'ready', degraded: 'works only over a fallback', blocked: 'blocked', unknown: 'not decided',
               pass: 'good', warn: 'not as it should be', fail: 'does not work', skip: 'not tried'};
export const changes = (difference) => {
  const parts = [];
  const when = new Date(difference.before.started_at).toLocaleString();
  parts.push(element('p', `Before: ${when}.`, 'muted'));
  for (const [trend, [word, tone, glyph]] of Object.entries(trends)) {
    const rows = difference.changes.filter((one) => one.trend === trend && one.of !== 'requirement')
      .map((one) => [one.title, `${words[one.before]} → ${words[one.after]}`]);
    for (const one of difference.findings.filter((other) => other.trend === trend)) {
      rows.push([one.title, trend === 'better' ? 'gone' : trend === 'worse' ? 'new' : one.note ?? 'in other words']);
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
  if (parts.length === 1) parts.push(element('p', 'Nothing has changed.'));
  for (const note of difference.notes) parts.push(element('p', note, 'muted small'));
  return parts;
};
