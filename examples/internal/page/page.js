const $ = (selector, within = document) => within.querySelector(selector);
const element = (tag, text, className = '') => Object.assign(document.createElement(tag), { textContent: text, className });
const random = (n) => Array.from(crypto.getRandomValues(new Uint8Array(n)), (b) => 'abcdefghijkmnpqrstuvwxyz23456789'[b % 32]).join('');

/** Each click goes to both tables, so that the switch only chooses which of them is shown. */
function demo(path) {
  const visit = random(4); // users of this visit, so that no other rows are touched
  const people = { alice: 'Alice', bob: 'Bob' };
  const id = (user) => `${user}-${visit}`;
  const phones = [1, 2].map((n) => ({
    name: `phone ${n}`, at: $(`#phone-${n}`), user: '', device: '', platform: n === 1 ? 'ios' : 'android', token: `ExponentPushToken[${random(22)}]`,
  }));
  const devices = {}; // the phone of each device id
  const [ours, usual] = [1, 2].map(() => ({ calls: [], rows: [], inbox: {} })); // and the verdict on the last message
  const done = { hand: false, taxi: false, compare: false };

  async function api(method, user, query = '', body = undefined) {
    const headers = { Authorization: `Bearer ${id(user)}`, ...(body && { 'Content-Type': 'application/json' }) };
    const response = await fetch(path + query, { method, headers, body, keepalive: true });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    const flags = Object.entries(headers).map(([name, value]) => ` -H '${name}: ${value}'`).join('') + (body ? ` -d '${body}'` : '');
    const asked = `curl -i -X ${method}${flags} '${location.origin}${path}${query}'`;
    return { asked, answer: `HTTP/1.1 ${response.status} ${response.statusText}\n${text}`.trim(), text };
  }

  async function logIn(phone, user) {
    done.hand ||= phone.user !== '' && phone.user !== user;
    phone.device ||= newDevice(phone);
    phone.user = user;
    const body = JSON.stringify({ deviceId: phone.device, expoPushToken: phone.token, platform: phone.platform });
    ours.calls.unshift(await api('POST', user, '', body));
    const row = usual.rows.find((r) => r.user === user && r.device === phone.device);
    if (!row) usual.rows.push({ user, device: phone.device, token: phone.token });
    usual.calls.unshift({
      asked: `INSERT INTO device_tokens (user_id, device_id, token) VALUES ('${id(user)}', '${phone.device}', '${phone.token}')\n`
        + 'ON CONFLICT (user_id, device_id) DO UPDATE SET token = excluded.token;', answer: 'INSERT 0 1',
    });
  }

  async function logOut(phone) {
    ours.calls.unshift(await api('DELETE', phone.user, `?deviceId=${phone.device}`));
    usual.rows = usual.rows.filter((r) => r.user !== phone.user || r.device !== phone.device);
    usual.calls.unshift({ asked: `DELETE FROM device_tokens WHERE user_id = '${id(phone.user)}' AND device_id = '${phone.device}';`, answer: 'DELETE 1' });
    phone.user = '';
  }

  /** An app that is installed anew has a new device id, and may have the same push token. */
  async function reinstall(phone) {
    phone.device = newDevice(phone);
    await logIn(phone, phone.user);
  }

  function newDevice(phone) {
    const device = `app-${random(4)}`;
    devices[device] = phone;
    return device;
  }

  async function send(to) {
    done.taxi = true;
    const tokens = usual.rows.filter((r) => r.user === to).map((r) => r.token);
    const body = JSON.stringify({ to: id(to), usual: tokens, phones: Object.fromEntries(phones.map((p) => [p.name, p.token])) });
    const response = await fetch('/demo/send', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    if (!response.ok) throw new Error(await response.text());
    const answer = await response.json();
    for (const [table, shown] of [[ours, answer.ours], [usual, answer.usual]]) {
      table.verdict = judge(to, shown);
      for (const { name, user } of phones) {
        const arrived = Array(shown[name]).fill({ title: answer.title, to, reader: user });
        table.inbox[name] = [...arrived, ...(table.inbox[name] ?? [])].slice(0, 3);
      }
    }
  }

  function judge(to, shown) {
    const message = `${people[to]}’s message`;
    const on = phones.filter((p) => shown[p.name] > 0);
    const wrong = on.find((p) => p.user !== to), twice = on.find((p) => shown[p.name] > 1);
    if (wrong) return { bad: true, text: `${people[wrong.user] ?? 'Anybody'} reads ${message} on ${wrong.name}.` };
    if (twice) return { bad: true, text: `${message} arrives twice on ${twice.name}.` };
    if (!on.length) return { text: `${message} is on no phone: ${people[to]} is logged in on none.` };
    return { text: `${message} is on ${on.map((p) => p.name).join(' and ')}, where ${people[to]} is logged in, and on no other phone.` };
  }

  function draw() {
    const on = $('#usual').checked, table = on ? usual : ours, { verdict } = table;
    document.body.classList.toggle('usual', on);
    $('#rule').textContent = on ? 'An upsert by (user, device), as most backends have it: the old row stays.'
      : 'This project: a token belongs to at most one registration.';
    if (verdict) {
      const other = !usual.verdict.bad ? '' : on ? `With this project: ${ours.verdict.text}` : 'And with the usual table?';
      $('#verdict').replaceChildren(verdict.text, element('small', other));
      $('#verdict').className = `verdict ${verdict.bad ? 'bad' : 'good'}`;
    }
    for (const p of phones) {
      p.at.dataset.user = p.user;
      $('.user b', p.at).textContent = people[p.user] ?? 'nobody';
      $('.inbox', p.at).replaceChildren(...(table.inbox[p.name] ?? []).map(notification));
      for (const button of p.at.querySelectorAll('[data-act]')) {
        const name = people[button.dataset.act];
        if (name) button.textContent = p.user && people[p.user] !== name ? `Hand to ${name}` : `${name} logs in`;
        button.setAttribute('aria-disabled', name ? people[p.user] === name : !p.user);
      }
    }
    $('#rows').replaceChildren(...table.rows.map(({ user, device }) => {
      const stale = devices[device].user !== user || devices[device].device !== device;
      const tr = element('tr', '', stale ? 'wrong' : '');
      tr.append(element('td', people[user], user), element('td', device), element('td', devices[device].name + (stale ? ' – stale' : '')));
      return tr;
    }));
    $('#calls').replaceChildren(...table.calls.slice(0, 12).map(({ asked, answer }) => {
      const item = element('li', '');
      item.append(element('pre', asked), element('pre', answer, 'answer'));
      return item;
    }));
    const current = Object.keys(done).find((step) => !done[step]);
    for (const step in done) $(`#${step}`).parentElement.className = done[step] ? 'done' : step === current ? 'current' : '';
  }

  function notification({ title, to, reader }) {
    const item = element('li', '', to === reader ? to : 'wrong');
    item.append(element('b', title), element('span', `for ${people[to]}`));
    if (to !== reader) item.append(element('em', `${people[reader] ?? 'anybody'} reads it`));
    return item;
  }

  let queue = Promise.resolve();
  /** Does one thing after the other, and shows what came of it. */
  function after(work) {
    queue = queue.then(work).then(async () => {
      const listed = await Promise.all(Object.keys(people).map(async (user) =>
        JSON.parse((await api('GET', user)).text).deviceTokens.map(({ deviceId }) => ({ user, device: deviceId }))));
      ours.rows = listed.flat();
      draw();
    }).catch((error) => {
      $('#verdict').textContent = `No answer: is the server still running? (${error.message})`;
      $('#verdict').className = 'verdict bad';
    });
  }

  const acts = { out: logOut, reinstall, alice: (p) => logIn(p, 'alice'), bob: (p) => logIn(p, 'bob') };
  document.addEventListener('click', ({ target }) => {
    const button = target.closest('button:not([aria-disabled="true"])');
    const { act, send: to } = button?.dataset ?? {};
    if (act) after(() => acts[act](phones.find((p) => p.at.contains(button))));
    if (to) after(() => send(to));
  });
  $('#hand').addEventListener('click', () => after(() => logIn(phones[0], 'bob')));
  $('#compare').addEventListener('click', () => $('#usual').click());
  $('#usual').addEventListener('change', () => {
    done.compare ||= $('#usual').checked;
    after(() => {});
  });
  $('#over').addEventListener('click', () => location.reload());
  addEventListener('pagehide', () => { // leave no rows behind
    for (const device in devices) {
      for (const user in people) api('DELETE', user, `?deviceId=${device}&permanent=true`).catch(() => {});
    }
  });
  addEventListener('pageshow', ({ persisted }) => { if (persisted) location.reload(); });
  $('#usual').checked = false; // browsers keep it over a reload
  after(() => logIn(phones[0], 'alice'));
}

/** Shows what happens while the page is open: it is told that something did, and reads what. */
function live() {
  const source = new EventSource('/console/events');
  const read = async () => new DOMParser().parseFromString(await (await fetch('/console')).text(), 'text/html');
  let reading = false;
  async function events() {
    if (reading || !$('#recent')) return;
    reading = true;
    await new Promise((resolve) => { setTimeout(resolve, 100); }); // for more that happens at once
    reading = false;
    for (const row of [...$('#recent', await read()).children].reverse()) {
      if (document.getElementById(row.id)) continue;
      row.className = 'new';
      $('#recent').prepend(row);
    }
    while ($('#recent').children.length > 50) $('#recent').lastElementChild.remove();
  }
  const totals = async () => $('#totals').replaceChildren(...$('#totals', await read()).childNodes);
  source.addEventListener('open', () => { // what happened before, or during a break
    events();
    if ($('#progress')) totals();
  });
  source.addEventListener('event', events);
  source.addEventListener('progress', ({ data }) => { if ($('#progress')) $('#progress').textContent = data; });
  source.addEventListener('counted', totals);
}

if (document.body.id === 'demo') demo(document.body.dataset.path);
if ($('#live')) live();
