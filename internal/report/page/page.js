'use strict';
(async () => {
  const $ = (id) => document.getElementById(id);
  const facets = ['rules', 'hosts', 'users', 'processes', 'techniques'];
  const columns = {hosts: 3, users: 4, processes: 5}; // where a row has the numbers of its names
  const none = -1; // stands for signals without a name in a facet
  const fewNames = 8, manyNames = 200;
  const manyBlocks = 48; // unpacked at the same time

  // Text of events becomes text nodes and attributes, never markup.
  function make(tag, properties, ...children) {
    const e = document.createElement(tag);
    for (const [key, value] of Object.entries(properties || {})) {
      if (typeof value === 'function') e.addEventListener(key, value);
      else if (key.startsWith('aria-')) e.setAttribute(key, String(value)); // "false" is a value there
      else if (value === true) e.setAttribute(key, '');
      else if (value !== false && value !== undefined) e.setAttribute(key, value);
    }
    e.append(...children.filter((c) => c !== null && c !== undefined));
    return e;
  }
  const number = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
  const counted = (n, what) => `${number(n)} ${what}${n === 1 ? '' : 's'}`;
  const clock = (ms) => ms === null ? 'no time' : new Date(ms).toISOString().replace('T', ' ').replace('Z', '');

  // What a report writes in place of a character that is not seen stands out from what an event says.
  function value(text) {
    const e = make('code', {class: 'v'});
    text.split(/(⟨(?:U\+[0-9A-F]{4,6}|0x[0-9A-F]{2})⟩)/).forEach((part, i) => {
      if (part) e.append(i % 2 ? make('span', {class: 'ctl'}, part) : part);
    });
    return e;
  }

  async function unpack(element) {
    const packed = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Response(stream).text();
  }

  if (typeof DecompressionStream !== 'function') {
    $('result').textContent = 'This browser is too old to unpack the data of this page: the earliest signals are shown, without searching.';
    return;
  }

  // --- The data: names, rows of the list, and blocks with three lines a signal (what is not searched, what is, what decided).
  const index = JSON.parse(await unpack($('index')));
  const rows = [];
  for (const e of document.querySelectorAll('script.rows')) {
    for (const line of (await unpack(e)).split('\n')) if (line) rows.push(JSON.parse(line));
  }
  rows.forEach((row, i) => { row.at = i; });
  const blocks = [...document.querySelectorAll('script.block')].map((element) => ({element, first: Number(element.dataset.first)}));
  const ruleText = index.rules.map((r) => [r.name, r.id, ...(r.techniques || []).map((n) => index.techniques[n])].join('\n').toLowerCase());
  const names = {...index, rules: index.rules.map((r) => r.name)};
  const unpacked = new Map();

  async function linesOf(block) {
    let lines = unpacked.get(block);
    if (lines) unpacked.delete(block);
    else lines = (await unpack(block.element)).split('\n');
    unpacked.set(block, lines); // the newest at the end
    if (unpacked.size > manyBlocks) unpacked.delete(unpacked.keys().next().value);
    return lines;
  }

  async function signalOf(row) {
    let low = 0, high = blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (blocks[middle].first <= row.at) low = middle; else high = middle - 1;
    }
    const lines = await linesOf(blocks[low]);
    const i = 3 * (row.at - blocks[low].first);
    return {about: JSON.parse(lines[i]), texts: JSON.parse(lines[i + 1]), decided: JSON.parse(lines[i + 2])};
  }

  // --- What is chosen.
  const chosen = {severities: new Set(), bar: null, hits: null, sort: 'oldest', size: 25, page: 0};
  for (const f of facets) chosen[f] = new Set();
  const expanded = new Set();
  let shown = rows;

  const numbersOf = (row, facet) => facet === 'rules' ? [row[1]] : facet === 'techniques' ? index.rules[row[1]].techniques || [] : row[columns[facet]];
  function accepts(row, except) {
    if (chosen.hits && !chosen.hits[row.at]) return false;
    if (chosen.severities.size && !chosen.severities.has(row[2])) return false;
    if (chosen.bar !== null) {
      const [from, to] = index.bars[chosen.bar];
      if (row[0] === null || row[0] < from || row[0] >= to) return false;
    }
    for (const f of facets) {
      if (f === except || !chosen[f].size) continue;
      const numbers = numbersOf(row, f);
      if (!(numbers.length ? numbers.some((n) => chosen[f].has(n)) : chosen[f].has(none))) return false;
    }
    return true;
  }

  function words(text) {
    return [...text.matchAll(/["“”]([^"“”]+)["“”]?|(\S+)/g)].map((m) => (m[1] || m[2]).toLowerCase());
  }

  // The searched lines are JSON, so a word is looked for as JSON writes it.
  let searching = 0;
  async function search(text) {
    const mine = ++searching;
    const wanted = words(text).map((word) => ({word, json: JSON.stringify(word).slice(1, -1)}));
    if (!wanted.length) { chosen.hits = null; return true; }
    const hits = new Uint8Array(rows.length);
    for (const [b, block] of blocks.entries()) {
      const lines = await linesOf(block);
      if (mine !== searching) return false;
      const end = b + 1 < blocks.length ? blocks[b + 1].first : rows.length;
      for (let at = block.first; at < end; at++) {
        const line = lines[3 * (at - block.first) + 1].toLowerCase();
        const rule = ruleText[rows[at][1]];
        if (wanted.every((w) => line.includes(w.json) || rule.includes(w.word))) hits[at] = 1;
      }
    }
    chosen.hits = hits;
    return true;
  }

  const byTime = (a, b) => (a[0] === null) - (b[0] === null) || a[0] - b[0] || a.at - b.at;
  const orders = {
    oldest: byTime,
    newest: (a, b) => (a[0] === null) - (b[0] === null) || b[0] - a[0] || a.at - b.at,
    gravest: (a, b) => a[2] - b[2] || byTime(a, b),
  };

  // --- The page.
  function apply() {
    shown = rows.filter((row) => accepts(row)).sort(orders[chosen.sort]);
    chosen.page = 0;
    showFacets();
    showChips();
    showTimeline();
    showList();
  }

  function toggle(set, n) {
    if (!set.delete(n)) set.add(n);
    apply();
  }

  function showFacets() {
    const active = document.activeElement, focused = active && active.dataset.key;
    for (const facet of facets) {
      const counts = new Map();
      let without = 0;
      for (const row of rows) {
        if (!accepts(row, facet)) continue;
        const numbers = numbersOf(row, facet);
        if (!numbers.length) without++;
        for (const n of numbers) counts.set(n, (counts.get(n) || 0) + 1);
      }
      for (const n of chosen[facet]) if (n !== none && !counts.has(n)) counts.set(n, 0);
      const all = [...counts].sort((a, b) => chosen[facet].has(b[0]) - chosen[facet].has(a[0]) || b[1] - a[1] || names[facet][a[0]].localeCompare(names[facet][b[0]]));
      showFacet(facet, all, without);
    }
    if (focused) {
      const again = [...document.querySelectorAll('[data-key]')].find((e) => e.dataset.key === focused);
      if (again) again.focus();
    }
  }

  function showFacet(facet, all, without) {
    const box = $('facet-' + facet), list = box.querySelector('ul');
    const most = Math.max(1, ...all.slice(0, manyNames).map((one) => one[1]), without);
    const item = (n, name, signals) => make('li', {},
      make('button', {type: 'button', 'aria-pressed': chosen[facet].has(n), 'data-key': facet + ':' + n, title: name, click: () => toggle(chosen[facet], n)},
        make('span', {class: n === none ? 'name none' : 'name'}, name), make('span', {class: 'n'}, number(signals), make('span', {class: 'unseen'}, signals === 1 ? ' signal' : ' signals')), share(signals / most)));
    const visible = all.slice(0, expanded.has(facet) ? manyNames : fewNames);
    list.replaceChildren(...visible.map(([n, signals]) => item(n, names[facet][n], signals)));
    if (without || chosen[facet].has(none)) list.append(item(none, box.dataset.none, without));
    if (!list.children.length) list.append(make('li', {class: 'empty'}, 'none'));
    box.querySelector('.count').textContent = number(all.filter((one) => one[1]).length);
    const more = box.querySelector('.more');
    if (more) more.remove();
    if (all.length > fewNames) {
      const open = expanded.has(facet);
      box.append(make('button', {type: 'button', class: 'more', 'aria-expanded': open, 'data-key': facet + ':more', click: () => {
        if (!expanded.delete(facet)) expanded.add(facet);
        showFacets();
      }}, open ? 'Show fewer' : all.length > manyNames ? `Show the first ${manyNames} of ${number(all.length)}` : `Show all ${number(all.length)}`));
    }
  }

  function share(part) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), rect = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    for (const [k, v] of Object.entries({class: 'share', viewBox: '0 0 100 4', preserveAspectRatio: 'none', 'aria-hidden': 'true'})) svg.setAttribute(k, v);
    rect.setAttribute('width', String(part ? Math.max(1, 100 * part) : 0));
    rect.setAttribute('height', '4');
    svg.append(rect);
    return svg;
  }

  function showChips() {
    const chips = [];
    const chip = (label, remove) => chips.push(make('li', {}, make('button', {type: 'button', 'aria-label': 'Remove the filter ' + label, click: () => { remove(); apply(); $('result').focus(); }}, label + ' ', make('span', {'aria-hidden': 'true'}, '×'))));
    for (const f of facets) {
      const title = $('facet-' + f).querySelector('h3').firstChild.textContent.trim();
      for (const n of chosen[f]) chip(`${title}: ${n === none ? $('facet-' + f).dataset.none : names[f][n]}`, () => chosen[f].delete(n));
    }
    for (const n of chosen.severities) chip('Severity: ' + index.severities[n], () => chosen.severities.delete(n));
    if (chosen.bar !== null) chip(`Time: ${clock(index.bars[chosen.bar][0])} to ${clock(index.bars[chosen.bar][1])}`, () => { chosen.bar = null; });
    if (chips.length > 1) chip('all filters', () => { for (const f of [...facets, 'severities']) chosen[f].clear(); chosen.bar = null; });
    $('chips').replaceChildren(...chips);
    $('chips').hidden = !chips.length;
  }

  function showTimeline() {
    const svg = $('timeline');
    if (!svg) return;
    svg.classList.toggle('picked', chosen.bar !== null);
    for (const g of svg.querySelectorAll('g[data-bar]')) g.classList.toggle('on', Number(g.dataset.bar) === chosen.bar);
    for (const b of document.querySelectorAll('#legend button')) b.setAttribute('aria-pressed', chosen.severities.has(index.severities.indexOf(b.dataset.severity)));
    for (const b of document.querySelectorAll('#time-table button')) b.setAttribute('aria-pressed', Number(b.dataset.bar) === chosen.bar);
  }

  function showList() {
    const pages = Math.max(1, Math.ceil(shown.length / chosen.size));
    const from = chosen.page * chosen.size, here = shown.slice(from, from + chosen.size);
    $('list').replaceChildren(...here.map(item));
    const all = shown.length === rows.length;
    let text = all ? counted(rows.length, 'signal') : `${number(shown.length)} of ${counted(rows.length, 'signal')}`;
    if (pages > 1) text += `, ${number(from + 1)} to ${number(from + here.length)} shown`;
    if (!shown.length && rows.length) text = `None of ${counted(rows.length, 'signal')} matches. Remove a filter or search for less.`;
    $('result').textContent = rows.length ? text : 'No signals.';
    $('unfold').hidden = !here.length;
    $('unfold').textContent = 'Open all on this page';
    const turn = (label, page) => make('button', {type: 'button', disabled: page < 0 || page >= pages || page === chosen.page, click: () => { chosen.page = page; showList(); $('result').focus(); }}, label);
    $('pager').replaceChildren(turn('First', 0), turn('Previous', chosen.page - 1), make('span', {}, `Page ${number(chosen.page + 1)} of ${number(pages)}`), turn('Next', chosen.page + 1), turn('Last', pages - 1));
    $('pager').hidden = pages < 2;
  }

  function item(row) {
    const severity = index.severities[row[2]];
    const host = row[3].map((n) => index.hosts[n]).join(', '), user = row[4].map((n) => index.users[n]).join(', ');
    const details = make('details', {class: 'signal', toggle: () => { if (details.open && details.children.length === 1) open(details, row); }},
      make('summary', {}, make('time', {}, clock(row[0])), make('span', {class: 'sev sev-' + severity}, severity),
        make('span', {class: 'what'}, make('b', {}, index.rules[row[1]].name), make('span', {class: 'subject'}, row[6])),
        make('span', {class: 'who'}, host ? make('span', {title: host}, host) : null, user ? make('span', {title: user}, user) : null)));
    return make('li', {}, details);
  }

  async function open(details, row) {
    const body = make('div', {class: 'body'});
    details.append(body);
    const {about, texts, decided} = await signalOf(row);
    const rule = index.rules[row[1]];
    body.append(make('p', {class: 'reason'}, about.r));
    body.append(...why(decided));
    body.append(make('h3', {}, 'The event'), make('table', {class: 'event'}, make('tbody', {},
      ...about.p.map((path, i) => make('tr', {}, make('th', {scope: 'row'}, path), make('td', {}, ...texts[i + 1].map(value)))))));
    body.append(make('details', {class: 'fold'}, make('summary', {}, 'The rule'), make('p', {}, rule.description), make('pre', {}, rule.query),
      make('p', {class: 'ids'}, [rule.id, ...(rule.techniques || []).map((n) => index.techniques[n])].join(' · '))));
    const [id, source, document] = texts[0];
    body.append(make('p', {class: 'ids'}, `Signal ${id}`, source ? make('span', {}, ` · event ${document || ''} in ${source}`) : null, about.w ? ` · made ${about.w}` : null));
  }

  const groups = {and: 'all of these:', or: 'at least one of these:', not: 'not this:'};
  function why(decided) {
    if (!decided) return [make('h3', {}, 'Why it matched'), make('p', {class: 'note'}, 'The event was not judged again for this report.')];
    const box = make('ul', {class: 'tree'}, branch(decided, false));
    const whole = make('input', {type: 'checkbox', change: () => box.replaceChildren(branch(decided, whole.checked))});
    return [make('div', {class: 'head'}, make('h3', {}, 'Why it matched'), make('label', {}, whole, 'Show the whole condition')), box];
  }

  function branch(node, whole) {
    const outcome = node.h ? 'holds: ' : 'does not hold: ';
    const li = make('li', {class: node.d ? 'decides' : 'aside'},
      make('span', {class: node.h ? 'mark yes' : 'mark no', 'aria-hidden': 'true'}, node.h ? '✓' : '✗'), make('span', {class: 'unseen'}, outcome),
      node.t ? make('code', {}, node.t) : make('span', {class: 'group'}, groups[node.k] || node.k));
    for (const s of node.s || []) {
      li.append(make('span', {class: 'seen'}, s.p + (s.v.length ? ' is ' : ' is missing'), ...s.v.map(value), s.n ? ` (${s.n})` : null));
    }
    const below = (node.o || []).filter((o) => whole || o.d);
    if (below.length) li.append(make('ul', {class: 'tree'}, ...below.map((o) => branch(o, whole))));
    return li;
  }

  // --- What the reader does.
  let waiting = 0;
  $('q').addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const slow = setTimeout(() => { $('result').textContent = 'Searching…'; }, 400);
      if (await search($('q').value)) apply();
      clearTimeout(slow);
    }, 180);
  });
  $('sort').addEventListener('change', () => { chosen.sort = $('sort').value; apply(); });
  $('size').addEventListener('change', () => { chosen.size = Number($('size').value); chosen.page = 0; showList(); });
  $('unfold').addEventListener('click', () => {
    const all = [...document.querySelectorAll('.signal')], shut = all.some((d) => !d.open);
    for (const d of all) d.open = shut;
    $('unfold').textContent = shut ? 'Close all on this page' : 'Open all on this page';
  });
  const pick = (bar) => { chosen.bar = chosen.bar === bar ? null : bar; apply(); };
  for (const g of document.querySelectorAll('g[data-bar]')) g.addEventListener('click', () => pick(Number(g.dataset.bar)));
  for (const tr of document.querySelectorAll('tr[data-bar]')) {
    const bar = Number(tr.dataset.bar), th = tr.querySelector('th'), from = th.textContent;
    th.append(make('button', {type: 'button', 'data-bar': bar, 'aria-pressed': 'false', 'aria-label': 'Only signals from ' + from, click: () => pick(bar)}, 'only these'));
  }
  for (const li of document.querySelectorAll('#legend li')) {
    const severity = li.dataset.severity;
    li.replaceChildren(make('button', {type: 'button', 'aria-pressed': 'false', 'data-severity': severity, click: () => toggle(chosen.severities, index.severities.indexOf(severity))}, ...li.childNodes));
  }
  let folded = [];
  addEventListener('beforeprint', () => {
    folded = [...document.querySelectorAll('#coverage details:not([open]), #time details:not([open])')];
    for (const d of folded) d.open = true;
  });
  addEventListener('afterprint', () => { for (const d of folded) d.open = false; });

  document.documentElement.classList.add('ready');
  if (rows.length) $('tools').hidden = false;
  apply();
  document.documentElement.dataset.ready = 'true';
})();
