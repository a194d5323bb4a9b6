// The demonstration. Each click goes to both tables, so that the switch only chooses which of them is shown.
const $ = (selector, within = document) => within.querySelector(selector);
const text = (tag, content, className = '') => Object.assign(document.createElement(tag), { textContent: content, className });
const random = (n) => Array.from(crypto.getRandomValues(new Uint8Array(n)), (b) => 'abcdefghijkmnpqrstuvwxyz23456789'[b % 32]).join('');

function demo({ path, usualPath }) {
  const visit = random(4); // ids of this visit, so that no other rows are touched
  const people = { alice: 'Alice', bob: 'Bob' };
  const id = (user) => `${user}-${visit}`;
  const phones = [1, 2].map((n) => ({
    name: `phone-${n}`, at: $(`#phone-${n}`), user: '', device: '', platform: n === 1 ? 'ios' : 'android',
    token: `ExponentPushToken[${random(22)}]`,
  }));
  const owners = {}; // of device ids: phones
  const table = (path) => ({ path, calls: [], rows: [], inbox: { 'phone-1': [], 'phone-2': [] }, verdict: undefined });
  const ours = table(path), usual = table(usualPath);
  const done = { hand: false, taxi: false, compare: false };
  const shown = () => ($('#usual').checked ? usual : ours);
  const label = (name) => name.replace('-', ' ');

  async function request(t, method, user, query = '', body = undefined) {
    const headers = { Authorization: `Bearer ${id(user)}`, ...(body && { 'Content-Type': 'application/json' }) };
    const init = { method, headers, body: body && JSON.stringify(body) };
    const flags = Object.entries(headers).map(([name, value]) => ` -H '${name}: ${value}'`).join('') + (body ? ` -d '${init.body}'` : '');
    const curl = `curl -i${method === 'DELETE' ? ' -X DELETE' : ''}${flags} '${location.origin}${t.path}${query}'`;
    const response = await fetch(t.path + query, init);
    const answer = await response.text();
    return { curl, status: `HTTP/1.1 ${response.status} ${response.statusText}`, answer, ok: response.ok };
  }

  /** Makes the call that an app makes, and has the page show it. */
  async function app(...call) {
    for (const t of [ours, usual]) t.calls.unshift(await request(t, ...call));
  }

  async function logIn(phone, user) {
    done.hand ||= phone.user !== '' && phone.user !== user;
    phone.device ||= newDevice(phone);
    phone.user = user;
    await app('POST', user, '', { deviceId: phone.device, expoPushToken: phone.token, platform: phone.platform });
  }

  async function logOut(phone) {
    await app('DELETE', phone.user, `?deviceId=${phone.device}`);
    phone.user = '';
  }

  /** An app that is installed anew has a new device id; the phone may get the same push token. */
  async function reinstall(phone) {
    phone.device = newDevice(phone);
    if (phone.user) await logIn(phone, phone.user);
  }

  function newDevice(phone) {
    const device = `app-${random(4)}`;
    owners[device] = phone;
    return device;
  }

  async function send(user) {
    done.taxi = true;
    for (const t of [ours, usual]) {
      const body = JSON.stringify({ to: id(user), usual: t === usual, phones: Object.fromEntries(phones.map((p) => [p.name, p.token])) });
      const response = await fetch('/demo/send', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
      if (!response.ok) throw new Error(await response.text());
      const { title, shown } = await response.json();
      for (const p of phones) {
        const arrived = Array.from({ length: shown[p.name] }, () => ({ title, to: user, reader: p.user }));
        t.inbox[p.name] = [...arrived, ...t.inbox[p.name]].slice(0, 3);
      }
      t.verdict = judge(user, shown);
    }
  }

  function judge(user, shown) {
    const whose = `${people[user]}’s message`;
    const on = phones.filter((p) => shown[p.name] > 0);
    const wrong = on.find((p) => p.user !== user);
    const twice = on.find((p) => shown[p.name] > 1);
    if (wrong) return { bad: true, text: `${people[wrong.user] ?? 'Anybody'} reads ${whose} on ${label(wrong.name)}.` };
    if (twice) return { bad: true, text: `${whose} arrives twice on ${label(twice.name)}.` };
    if (!on.length) return { text: `${whose} is on no phone: ${people[user]} is logged in on none.` };
    return { text: `${whose} is on ${on.map((p) => label(p.name)).join(' and ')}, where ${people[user]} is logged in, and on no other phone.` };
  }

  async function readRows() {
    for (const t of [ours, usual]) {
      t.rows = [];
      for (const user of Object.keys(people)) {
        const { deviceTokens } = JSON.parse((await request(t, 'GET', user)).answer);
        t.rows.push(...deviceTokens.map(({ deviceId }) => ({ user, deviceId, phone: owners[deviceId] })));
      }
    }
  }

  function draw() {
    const t = shown(), on = t === usual;
    document.body.classList.toggle('usual', on);
    $('#rule').textContent = on
      ? 'An upsert by (user, device), as most backends have it. The old row stays.'
      : 'This project: a token belongs to at most one registration.';
    if (t.verdict) {
      const other = !usual.verdict.bad || ours.verdict.bad ? '' : on ? `With this project: ${ours.verdict.text}` : 'And with the usual table?';
      $('#verdict').replaceChildren(t.verdict.text, text('small', other));
    }
    $('#verdict').className = `verdict ${!t.verdict ? '' : t.verdict.bad ? 'bad' : 'good'}`;
    for (const p of phones) {
      p.at.dataset.user = p.user;
      $('.face', p.at).textContent = (people[p.user] ?? '–')[0];
      $('.user b', p.at).textContent = people[p.user] ?? 'nobody';
      $('.inbox', p.at).replaceChildren(...t.inbox[p.name].map(notification));
      for (const button of p.at.querySelectorAll('[data-act]')) {
        const { act } = button.dataset;
        if (people[act]) button.textContent = p.user && p.user !== act ? `Hand to ${people[act]}` : `${people[act]} logs in`;
        button.setAttribute('aria-disabled', act === p.user || (!p.user && !people[act]));
      }
    }
    $('#rows').replaceChildren(...t.rows.map(row));
    $('#calls').replaceChildren(...t.calls.slice(0, 12).map((c) => {
      const item = text('li', '');
      item.append(text('pre', c.curl), text('pre', `${c.status}\n${c.answer}`.trim(), c.ok ? 'answer' : 'answer bad'));
      return item;
    }));
    const current = Object.keys(done).find((step) => !done[step]);
    for (const step of Object.keys(done)) {
      $(`#${step}`).parentElement.className = done[step] ? 'done' : step === current ? 'current' : '';
      $(`#${step}`).toggleAttribute('aria-current', step === current);
    }
  }

  function notification({ title, to, reader }) {
    const item = text('li', '', to === reader ? to : `${to} wrong`);
    item.append(text('b', title), text('span', `for ${people[to]}`));
    if (to !== reader) item.append(text('em', reader ? `${people[reader]} reads it` : 'anybody reads it'));
    return item;
  }

  function row({ user, deviceId, phone }) {
    const wrong = phone.user !== user || phone.device !== deviceId;
    const tr = text('tr', '', wrong ? 'wrong' : '');
    tr.append(text('td', people[user], user), text('td', deviceId), text('td', label(phone.name) + (wrong ? ' – stale' : '')));
    return tr;
  }

  let queue = Promise.resolve();
  /** Does one thing after the other, and shows what came of it. */
  function after(work) {
    queue = queue.then(work).then(readRows).then(draw).catch((error) => {
      $('#verdict').textContent = `No answer: is the server still running? (${error.message})`;
      $('#verdict').className = 'verdict bad';
    });
  }

  const erase = (keepalive) => Promise.all(Object.keys(owners).flatMap((device) => Object.keys(people).flatMap((user) =>
    [ours, usual].map((t) => fetch(`${t.path}?deviceId=${device}&permanent=true`, {
      method: 'DELETE', keepalive, headers: { Authorization: `Bearer ${id(user)}` },
    })))));

  const acts = { out: logOut, reinstall, alice: (p) => logIn(p, 'alice'), bob: (p) => logIn(p, 'bob') };
  document.addEventListener('click', ({ target }) => {
    const button = target.closest('button');
    if (!button || button.getAttribute('aria-disabled') === 'true') return;
    const { act, send: to } = button.dataset;
    if (act) after(() => acts[act](phones.find((p) => p.at.contains(button))));
    if (to) after(() => send(to));
  });
  $('#hand').addEventListener('click', () => after(() => logIn(phones[0], 'bob')));
  $('#taxi').addEventListener('click', () => after(() => send('alice')));
  $('#compare').addEventListener('click', () => $('#usual').click());
  $('#usual').addEventListener('change', () => {
    done.compare ||= $('#usual').checked;
    after(() => {});
  });
  $('#over').addEventListener('click', () => location.reload());
  addEventListener('pagehide', () => { void erase(true); });
  addEventListener('pageshow', ({ persisted }) => { if (persisted) location.reload(); });
  $('#usual').checked = false; // a browser keeps it over a reload
  after(() => logIn(phones[0], 'alice'));
}

if (document.body.id === 'demo') demo(document.body.dataset);
