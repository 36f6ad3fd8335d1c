// The page of callready ui: choosing, running, and what can be done with a result.
import {abilities, changes, element, finding, reasons, t, verdict} from './result.js';

(() => {
  const $ = (id) => document.getElementById(id);
  const show = (id, yes) => { $(id).hidden = !yes; };

  // Asked for most; those that were tested here before come first.
  const popular = ['teams', 'zoom', 'webex', 'google-meet', 'rainbow', 'webex-calling', 'ringcentral',
                   '3cx', 'slack-huddles', 'genesys-cloud', 'goto', 'jitsi'];
  const few = 9;
  const kinds = {meetings: t('meetings'), pbx: t('telephone system'), platform: t('for developers'),
                 'contact-center': t('contact centre'), 'sip-trunk': t('telephone lines'),
                 shared: t('sign-in and more'), telephony: t('telephone service')};
  const demo = {id: 'demo', title: t('Try it out'), vendor: '', aliases: ['demo'], former_names: [],
                kind: '', note: t('a made-up service on this computer')};

  let services = [];       // as `list --json` has them, and the demo
  let used = [];           // ids of those that were tested before
  let everything = false;  // all are shown
  let state = null;        // of the run, as it last came
  let shown = '';          // which result is on the page: run and whether details are hidden
  let hidden = false;      // private details
  let wanted = '';         // the service of the settings that are shown
  let asking = false;      // for these
  let about = null;        // the set of that service, as `show --json` has it
  let fields = [];         // for its variables
  const typed = {};        // into these, by service and variable: remembered by this page alone

  const report = (format) => `report?as=${format}${hidden ? '&hide=1' : ''}`;
  const title = (id) => services.find((one) => one.id === id)?.title ?? id;

  const ask = async (path) => {
    const reply = await fetch(path);
    if (!reply.ok) throw new Error(await reply.text());
    return reply;
  };
  const post = (path, body) => fetch(path, {
    method: 'POST',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify(body ?? {}),
  });
  const lost = (text) => {
    $('lost').textContent = text;
    show('lost', Boolean(text));
  };
  // Only for screen readers.
  const say = (text) => { $('said').textContent = text; };
  const tell = (text) => { $('done').textContent = text; };
  // Which result the page is to show.
  const current = () => `${state.run} ${hidden}`;

  const only = (part, title) => {
    for (const id of ['form', 'progress', 'result', 'failed']) show(id, id === part);
    show('intro', part === 'form');
    document.title = `${title} – callready`;
  };

  // Choosing a service.

  const plain = (text) => text.toLowerCase().normalize('NFKD').replace(/[^\p{L}\p{N}]+/gu, ' ').trim();
  const names = (one) => plain([one.id, one.title, one.vendor, ...one.aliases, ...one.former_names].join(' '));
  const rank = (id) => {
    const before = used.indexOf(id), known = popular.indexOf(id);
    return before >= 0 ? before : known >= 0 ? 100 + known : id === 'demo' ? 2000 : 1000;
  };
  const chosen = () => document.querySelector('[name=service]:checked')?.value ?? '';

  const list = () => {
    const words = plain($('search').value).split(' ').filter(Boolean);
    // "direct" in "Direct Routing" counts for more than in "redirection".
    const inside = (one) => Number(!words.every((word) => ` ${names(one)}`.includes(` ${word}`)));
    const found = services.filter((one) => words.every((word) => names(one).includes(word)))
      .sort((a, b) => inside(a) - inside(b) || rank(a.id) - rank(b.id) || a.title.localeCompare(b.title));
    const searching = words.length > 0;
    const some = searching || everything || found.length <= few + 1 ? found : found.slice(0, few);
    if (!searching && !some.some((one) => one.id === 'demo')) some.push(demo);
    const before = chosen() || (state?.service ?? '');
    const last = services.find((one) => one.id === before);
    if (!searching && last && !some.includes(last)) some.push(last);
    const picked = some.find((one) => one.id === before) ?? (searching ? some[0] : null);
    const rows = some.map((one) => {
      const label = element('label', undefined, 'service');
      const input = element('input');
      Object.assign(input, {type: 'radio', name: 'service', value: one.id, checked: one === picked});
      const text = element('span', one.title);
      const note = used.includes(one.id) ? t('tested here before') : one.note ?? kinds[one.kind] ?? '';
      if (note) text.append(element('small', note));
      label.append(input, text);
      return label;
    });
    const legend = $('services').querySelector('legend');
    $('services').replaceChildren(legend, ...rows);
    show('all', !searching && !everything && some.length < services.length);
    $('found').textContent = !searching ? '' : found.length === 0
      ? t('No service by that name is known. Try another word, or ask your helpdesk what the service is called.')
      : picked ? t('{} found; {} is chosen.', found.length, picked.title)
        : t('{} found; none is chosen.', found.length);
    settings();
  };

  // The settings that only this service has.

  const box = (group, item, checked) => {
    const label = element('label', undefined, 'choice');
    const input = element('input');
    Object.assign(input, {type: 'checkbox', value: item.id, checked});
    label.append(input, ' ' + item.title);
    return label;
  };
  const fill = (id, rows) => {
    const group = $(id);
    group.replaceChildren(group.querySelector('legend'), ...rows);
    group.hidden = rows.length === 0;
  };
  const settings = async () => {
    const id = chosen();
    $('run').textContent = id ? t('Run the test: {}', title(id)) : t('Run the test');
    if (id === wanted) return;
    wanted = id;
    for (const group of ['scenarios', 'regions', 'needed', 'variables']) fill(group, []);
    about = null;
    // Each answer is a program's run, and arrow keys are fast: one at a time, then the latest.
    if (asking) return;
    asking = true;
    for (let latest = ''; latest !== wanted;) {
      latest = wanted;
      about = await describe(latest);
    }
    asking = false;
    if (!about) return;
    fill('scenarios', about.scenarios.length < 2 ? [] : about.scenarios.map((one) => box('scenarios', one, one.default)));
    fill('regions', about.regions.map((one) => box('regions', one, false)));
    fields = about.variables.map((one) => [one, field(one)]);
    arrange();
  };
  // Nothing: the run will say what is wrong with it.
  const describe = async (id) => {
    try {
      return id && id !== 'demo' ? await (await ask(`service?id=${id}`)).json() : null;
    } catch {
      return null;
    }
  };
  const field = (one) => {
    const made = element('div', undefined, 'field');
    const label = element('label', one.default ? t('{} (if left empty: {})', one.title, one.default) : one.title);
    const input = element('input');
    const key = `${about.id}/${one.name}`;
    label.htmlFor = input.id = `variable-${one.name}`;
    Object.assign(input, {type: 'text', name: one.name, spellcheck: false, autocapitalize: 'none',
                          placeholder: one.example ?? '', value: typed[key] ?? ''});
    input.addEventListener('input', () => { typed[key] = input.value; });
    made.append(label, input);
    return made;
  };
  // What required rows cannot do without stands below the service, the rest in the settings.
  const arrange = () => {
    const ways = $('scenarios').hidden ? about.scenarios.map((one) => one.id) : ticked('scenarios');
    const rows = about.requirements.filter((row) => row.check && row.severity === 'required' &&
      (row.scenarios.length === 0 || row.scenarios.some((way) => ways.includes(way))));
    const text = JSON.stringify(rows);
    const isNeeded = ([one]) => !one.default && !one.optional && text.includes('${' + one.name + '}');
    fill('needed', fields.filter(isNeeded).map(([, made]) => made));
    fill('variables', fields.filter((one) => !isNeeded(one)).map(([, made]) => made));
  };

  const ticked = (id) => [...$(id).querySelectorAll('input:checked')].map((input) => input.value);
  const order = () => {
    const wish = {service: chosen()};
    if (wish.service === 'demo') return wish;
    if (!$('scenarios').hidden) wish.scenarios = ticked('scenarios');
    if (!$('regions').hidden) wish.regions = ticked('regions');
    wish.variables = {};
    for (const input of document.querySelectorAll('#needed input, #variables input')) {
      if (input.value.trim()) wish.variables[input.name] = input.value.trim();
    }
    for (const id of ['quality', 'thorough']) wish[id] = $(id).checked;
    const proxy = $('proxy').value;
    wish.through = proxy === 'url' ? $('proxy-url').value.trim() : proxy;
    wish.site = $('site').value.trim();
    for (const id of ['proxy_user', 'proxy_password', 'turn_user', 'turn_password']) wish[id] = $(id).value;
    return wish;
  };

  // Running.

  const refuse = (text) => {
    $('refused').textContent = text;
    show('refused', Boolean(text));
  };
  const run = async () => {
    refuse('');
    if (!chosen()) {
      refuse(t('Choose a service first.'));
      return $('search').focus();
    }
    try {
      const reply = await post('run', order());
      if (!reply.ok) refuse(await reply.text());
    } catch {
      refuse(t('The program no longer responds. Start it again.'));
    }
    if (!$('refused').hidden) choose($('form').hidden);
  };

  // Back to the choice.
  const choose = (focus = true) => {
    only('form', t('Do calls work from here?'));
    if (focus) $('search').focus();
  };

  const progress = (first) => {
    only('progress', t('Testing {}', title(state.service)));
    $('progress-title').textContent = t('Testing {}', title(state.service));
    const bar = $('bar');
    if (state.total > 0) {
      bar.max = state.total;
      bar.value = state.done;
      $('count').textContent = t('{} of {} measurements', state.done, state.total);
    } else {
      bar.removeAttribute('value');
      $('count').textContent = t('Getting ready …');
    }
    $('now').textContent = state.stopping ? t('Stopping and saving what is known so far …')
      : state.now ? t('Reply from {}', state.now) : '';
    $('stop').disabled = state.stopping;
    if (first) {
      say('');
      $('progress-title').focus();
    }
    const quarter = state.total > 0 ? Math.floor(4 * state.done / state.total) : 0;
    if (quarter > 0 && quarter < 4 && state.quarter !== quarter) say(t('{} percent done', quarter * 25));
    state.quarter = quarter;
  };

  // The result.

  const links = () => {
    for (const format of ['html', 'json']) $(`save-${format}`).href = `${report(format)}&save=1`;
    $('whole').href = report('html');
  };
  const result = async (first) => {
    const asked = current();
    if (shown === asked && !$('result').hidden) return;
    let summary;
    try {
      summary = await (await ask(report('summary'))).json();
    } catch (error) {
      return asked === current() ? failed(error.message) : undefined;
    }
    const variables = (about?.id === state.service ? about : await describe(state.service))?.variables ?? [];
    if (asked !== current()) return;  // it comes too late
    shown = asked;
    show('comparison', false);
    $('compare').setAttribute('aria-expanded', 'false');
    $('verdicts').replaceChildren(...summary.sets.map(verdict));
    $('where').textContent = summary.where;
    show('incomplete', !summary.complete);
    $('findings').replaceChildren(...summary.causes.map(finding));
    $('open').textContent = t('No cause was found for: {}.', summary.open.join('; '));
    show('open', summary.open.length > 0);
    show('causes', summary.causes.length + summary.open.length > 0);
    $('capabilities').replaceChildren(...summary.sets.flatMap((set) => abilities(set, summary.sets.length > 1)));
    show('abilities', summary.sets.some((set) => set.capabilities.length > 0));
    const why = summary.sets.flatMap((set) => reasons(set, variables, summary.sets.length > 1));
    $('reasons').replaceChildren(...why);
    show('undecided', why.length > 0);
    show('lacking', summary.sets.some((set) => set.undecided.some((one) => one.told.includes('--var '))));
    $('notes').replaceChildren(...summary.notes.map((note) => element('li', note)));
    show('remarks', summary.notes.length > 0);
    links();
    show('compare', state.before);
    only('result', `${summary.sets[0]?.word ?? ''}: ${title(state.service)}`);
    if (first) {
      tell('');
      scrollTo(0, 0);
      $('verdicts').querySelector('h2')?.focus({preventScroll: true});
    }
  };
  const failed = (text) => {
    $('problem').textContent = text;
    only('failed', t('The test did not run'));
    $('failed-title').focus();
  };

  const take = (next) => {
    const first = !state || state.run !== next.run || state.state !== next.state;
    const quarter = state?.run === next.run ? state.quarter : 0;
    state = {...next, quarter};
    if (first && (used.join() !== next.used.join() || !chosen())) {
      used = next.used;
      list();
    }
    if (state.state === 'running') return progress(first);
    if (!first || state.state === 'idle') return;
    if (state.report) return result(true);
    failed(state.problem);
  };

  // What can be done with a result.

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not allowed here: the old way, by a selection.
      const area = element('textarea', text, 'offscreen');
      area.setAttribute('aria-hidden', 'true');
      document.body.append(area);
      area.select();
      const done = document.execCommand('copy');
      area.remove();
      return done;
    }
  };
  $('copy').addEventListener('click', async () => {
    try {
      const done = await copy(await (await ask(report('ticket'))).text());
      tell(done ? t('Copied: paste it into the ticket.') + (hidden ? ' ' + t('Private details are hidden.') : '')
        : t('It could not be copied. Save the report instead.'));
    } catch (error) {
      tell(error.message);
    }
    $('copy').focus();
  });
  $('hide').addEventListener('click', async () => {
    hidden = !hidden;
    $('hide').setAttribute('aria-pressed', String(hidden));
    links();  // at once: somebody may be quick
    await result(false);
    tell(hidden
      ? t('Names and addresses of this site are replaced on this page and in everything that you copy or save.')
      : t('Names and addresses of this site are shown again.'));
  });
  $('compare').addEventListener('click', async () => {
    const open = $('compare').getAttribute('aria-expanded') !== 'true';
    if (open) {
      const asked = current();
      try {
        const difference = await (await ask(`compare${hidden ? '?hide=1' : ''}`)).json();
        if (asked !== current()) return;
        $('changes').replaceChildren(...changes(difference));
      } catch (error) {
        return tell(error.message);
      }
    }
    $('compare').setAttribute('aria-expanded', String(open));
    show('comparison', open);
    if (open) $('comparison-title').focus();
  });

  $('form').addEventListener('submit', (event) => {
    event.preventDefault();
    run();
  });
  $('again').addEventListener('click', run);
  $('stop').addEventListener('click', () => post('stop').catch(() => {}));
  for (const id of ['other', 'back']) $(id).addEventListener('click', () => choose());
  $('search').addEventListener('input', list);
  $('services').addEventListener('change', settings);
  $('scenarios').addEventListener('change', arrange);
  $('fill-in').addEventListener('click', () => {
    choose(false);
    const inputs = [...document.querySelectorAll('#needed input, #variables input')];
    const empty = inputs.find((input) => !input.value) ?? $('search');
    if ($('settings').contains(empty)) $('settings').open = true;
    empty.focus();
  });
  $('all').addEventListener('click', () => {
    everything = true;
    list();
    (document.querySelector('[name=service]:checked') ?? document.querySelector('[name=service]')).focus();
  });
  $('proxy').addEventListener('change', () => show('proxy-url-field', $('proxy').value === 'url'));

  const begin = async () => {
    try {
      services = [...await (await ask('services')).json(), demo];
    } catch {
      return lost(t('The list of services could not be read. Close this page, and start the program again.'));
    }
    list();
    const events = new EventSource('events');
    events.addEventListener('message', (event) => {
      lost('');
      take(JSON.parse(event.data));
    });
    events.addEventListener('error', () => {
      lost(t('The program has stopped or does not respond. Start it again to continue.'));
    });
    $('search').focus();
  };
  begin();
})();
