// The chat page of the demo: asks the simulated Telegram and WhatsApp beside it, and nobody else.
'use strict';
const $ = (id) => document.getElementById(id);
const WORDS = {
  pt: {
    start: 'INICIAR', claim: 'Abrir o link de convite', welcome: 'Primeiro passo', first: 'Abra o link de convite: quem o abre primeiro vira o administrador deste servidor.',
    plain: 'Diga olá ao bot. Quem ainda não tem conta recebe um convite de quem já tem a sua, com /convidar.', message: 'Mensagem', send: 'Enviar', commands: 'Comandos',
    contact: 'Compartilhar um contato', add: 'Nova pessoa', name: 'Nome', phone: 'Telefone', language: 'Idioma', cancel: 'Cancelar', reply: 'responder', edit: 'editar',
    edited: 'editada', typing: 'digitando…', copied: 'Copiado', paste: 'Copiado. Agora escolha outra pessoa acima e cole na conversa dela.', server: 'Servidor para cadastrar no bot', hint: 'Toque para copiar.', url: 'Endereço', key: 'Chave de API',
    instance: 'Instância', got: 'Mensagens entregues', none: 'Nada ainda. O que você agendar aparece aqui.', faults: 'Estragar o servidor',
    fault: { down: 'Fora do ar', slow: 'Lento', wrong_key: 'Recusa a chave', disconnected: 'WhatsApp desconectado', answer_lost: 'Entrega, mas a resposta se perde' },
  },
  en: {
    start: 'START', claim: 'Open the claim link', welcome: 'First step', first: 'Open the claim link: whoever opens it first becomes the administrator of this server.',
    plain: 'Say hello to the bot. Whoever has no account yet gets an invite from someone who has one, with /invite.', message: 'Message', send: 'Send', commands: 'Commands',
    contact: 'Share a contact', add: 'New person', name: 'Name', phone: 'Phone', language: 'Language', cancel: 'Cancel', reply: 'reply', edit: 'edit',
    edited: 'edited', typing: 'typing…', copied: 'Copied', paste: 'Copied. Now choose another person above and paste it in that chat.', server: 'Server to add in the bot', hint: 'Tap to copy.', url: 'Address', key: 'API key',
    instance: 'Instance', got: 'Delivered messages', none: 'Nothing yet. What you schedule appears here.', faults: 'Break the server',
    fault: { down: 'Down', slow: 'Slow', wrong_key: 'Refuses the key', disconnected: 'WhatsApp disconnected', answer_lost: 'Delivers, but its answer is lost' },
  },
  es: {
    start: 'INICIAR', claim: 'Abrir el enlace de invitación', welcome: 'Primer paso', first: 'Abra el enlace: quien lo abre primero es el administrador de este servidor.',
    plain: 'Salude al bot. Quien aún no tiene cuenta recibe una invitación de quien ya la tiene, con /invitar.', message: 'Mensaje', send: 'Enviar', commands: 'Comandos',
    contact: 'Compartir un contacto', add: 'Nueva persona', name: 'Nombre', phone: 'Teléfono', language: 'Idioma', cancel: 'Cancelar', reply: 'responder', edit: 'editar',
    edited: 'editado', typing: 'escribiendo…', copied: 'Copiado', paste: 'Copiado. Ahora elija otra persona arriba y péguelo en su chat.', server: 'Servidor para agregar en el bot', hint: 'Toque para copiar.', url: 'Dirección', key: 'Clave de API',
    instance: 'Instancia', got: 'Mensajes entregados', none: 'Nada todavía. Lo que programe aparece aquí.', faults: 'Estropear el servidor',
    fault: { down: 'Caído', slow: 'Lento', wrong_key: 'Rechaza la clave', disconnected: 'WhatsApp desconectado', answer_lost: 'Entrega, pero la respuesta se pierde' },
  },
};
let payload = new URLSearchParams(location.search).get('start');
let people = [], me = 0, revision = 0, toasts = null, replyTo = null, editing = null, drawn = '', commands = [], run = 0, shown = '';

const mine = () => people.find((person) => person.id === me) || {};
const words = () => WORDS[(mine().language || 'pt').slice(0, 2)] || WORDS.en;
const get = (url) => fetch(url).then((answer) => answer.json());
const post = (url, body) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }).then((answer) => answer.json());

function el(tag, cls, ...inner) {
  const made = document.createElement(tag);
  if (cls) made.className = cls;
  made.append(...inner.filter((one) => one !== null && one !== undefined));
  return made;
}
function button(cls, label, act) {
  const made = el('button', cls, label);
  made.type = 'button';
  made.onclick = act;
  return made;
}
function toast(text) {
  $('toast').textContent = text;
  $('toast').className = 'on';
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { $('toast').className = ''; }, 3500);
}
function copy(text) {
  navigator.clipboard?.writeText(text);
  toast(START.test(text) ? words().paste : words().copied);
}
// A start link, as it is opened by Telegram's own apps.
const START = /^https?:\/\/t\.me\/\w+\?start=([\w-]+)$/;
const clock = (at) => new Date(at).toLocaleTimeString(mine().language, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
function leave() {
  replyTo = editing = null;
  $('replying').className = '';
}
function say(typed) {
  const text = typed.trim().replace(START, '/start $1');
  const said = editing ? post(`/sandbox/chat/${me}/edit`, { text, message: editing }) : post(`/sandbox/chat/${me}/say`, { text, reply_to: replyTo });
  leave();
  return said;
}
function compose(message, edit) {
  leave();
  if (edit) { editing = message.id; $('composer').value = message.text; } else replyTo = message.id;
  $('quoted').textContent = (edit ? '✎ ' : '↩ ') + message.text.slice(0, 120);
  $('replying').className = 'on';
  $('composer').focus();
}

// Only marks come through: no attribute but a web address and the spoiler's class.
function marks(html) {
  const body = new DOMParser().parseFromString(html, 'text/html').body;
  for (const one of body.querySelectorAll('*')) {
    const href = one.getAttribute('href');
    const spoiler = one.localName === 'tg-spoiler' || one.className === 'tg-spoiler';
    for (const attribute of [...one.attributes]) one.removeAttribute(attribute.name);
    if (href && /^(https?|tg):\/\//i.test(href)) { one.setAttribute('href', href); one.target = '_blank'; one.rel = 'noopener'; }
    if (spoiler) { one.className = 'tg-spoiler'; one.tabIndex = 0; }
  }
  // A block begins and ends its line by itself.
  for (const block of body.querySelectorAll('blockquote, pre')) {
    const before = block.previousSibling, after = block.nextSibling;
    if (before?.nodeType === Node.TEXT_NODE) before.data = before.data.replace(/\n{1,2}$/, '');
    if (after?.nodeType === Node.TEXT_NODE) after.data = after.data.replace(/^\n/, '');
  }
  return [...body.childNodes];
}
function tap(message, key) {
  if (key.data) return post(`/sandbox/chat/${me}/tap`, { message: message.id, data: key.data });
  if (key.copy) return copy(key.copy);
  return START.test(key.url) ? say(key.url) : window.open(key.url, '_blank', 'noopener');
}
function bubble(message, all) {
  const inner = el('div', 'bubble');
  inner.dataset.id = message.id;
  const to = all.find((other) => other.id === message.reply_to);
  if (to) inner.append(el('span', 'quote', to.text.slice(0, 100)));
  // The code of a start link is shown to nobody.
  const started = !message.from_bot && message.text.startsWith('/start ');
  inner.append(...(started ? ['/start'] : marks(message.html)));
  if (message.edited) inner.append(' ', el('small', '', words().edited));
  const said = el('div', `said ${message.from_bot ? 'bot' : 'mine'}`, inner);
  for (const keys of message.rows) said.append(el('div', 'row', ...keys.map((key) => button('key', key.label, () => tap(message, key)))));
  said.append(message.from_bot ? button('more', `↩ ${words().reply}`, () => compose(message, false)) : button('more', `✎ ${words().edit}`, () => compose(message, true)));
  return said;
}
// A link is opened once, by whoever the page speaks for.
function open() {
  const code = payload;
  payload = null;
  history.replaceState(null, '', '/');
  return say(`/start ${code}`);
}
function draw(messages) {
  const now = JSON.stringify(messages) + me;
  if (now === drawn) return;
  drawn = now;
  const log = $('log'), t = words();
  log.replaceChildren(...messages.map((message) => bubble(message, messages)));
  const isNew = payload && !messages.some((message) => !message.from_bot && message.text.includes(payload));
  if (isNew || !messages.length) {
    const start = button('plain', isNew ? t.claim : t.start, () => (isNew ? open() : say('/start')));
    start.id = 'start';
    log.append(el('div', 'welcome', el('b', '', t.welcome), el('p', '', isNew ? t.first : t.plain), start));
  }
  log.scrollTop = log.scrollHeight;
}
function label() {
  const t = words();
  document.documentElement.lang = mine().language || 'pt-BR';
  $('composer').placeholder = t.message;
  for (const [id, text] of [['composer', t.message], ['send', t.send], ['slash', t.commands], ['contact', t.contact], ['add', t.add], ['leave', t.cancel]]) {
    $(id).setAttribute('aria-label', text);
    $(id).title = text;
  }
  shown = '';
}
async function load() {
  const told = await get('/sandbox/people');
  people = told.people;
  if (!me && people[0]) me = people[0].id;
  $('people').replaceChildren(...people.map((person) => {
    const one = button('', person.name, () => { leave(); me = person.id; revision = 0; drawn = ''; toasts = null; load(); tick(); });
    one.setAttribute('aria-pressed', person.id === me);
    return one;
  }));
  label();
}
async function tick() {
  const mineRun = ++run;
  while (mineRun === run) {
    try {
      const told = await get(`/sandbox/chat/${me}?after=${revision}`);
      if (mineRun !== run) return;
      ({ revision, commands } = told);
      draw(told.messages);
      if (toasts !== null && told.toasts.length > toasts) {
        const text = told.toasts.at(-1);
        if (told.alerts.at(-1)) { $('alert-text').textContent = text; if (!$('alert').open) $('alert').showModal(); } else toast(text);
      }
      toasts = told.toasts.length;
      $('typing').textContent = words().typing;
      $('typing').className = told.typing ? 'on' : '';
    } catch {
      // The server is away for a moment, or was started anew: ask again from the beginning.
      revision = 0;
      await new Promise((go) => { setTimeout(go, 1000); });
      load().catch(() => {});
    }
  }
}
async function phone() {
  try {
    const told = await get('/sandbox/whatsapp'), now = JSON.stringify(told) + me, t = words();
    if (now !== shown) {
      shown = now;
      const fact = (name, value) => el('div', 'fact', el('small', '', name), button('', value, () => copy(value)));
      $('server').replaceChildren(el('h3', '', t.server), fact(t.url, told.url), fact(t.key, told.apiKey),
        ...told.instances.map((one) => fact(`${t.instance} ${one.state === 'open' ? '🟢' : '🔴'}`, one.name)), el('p', '', t.hint));
      const delivered = told.delivered.slice().reverse().slice(0, 50).map((one) =>
        el('div', 'wa', el('small', '', `${one.instance} → ${one.number} · ${clock(one.at)}`), one.text));
      $('delivered').replaceChildren(el('h3', '', t.got), ...(delivered.length ? delivered : [el('p', '', t.none)]));
      $('count').textContent = told.delivered.length || '';
      $('faults').replaceChildren(el('h3', '', t.faults), ...Object.entries(t.fault).filter(([name]) => name in told.faults).map(([name, text]) => {
        const box = el('input');
        box.type = 'checkbox';
        box.checked = told.faults[name];
        box.onchange = () => post('/sandbox/whatsapp/faults', { ...told.faults, [name]: box.checked }).then(() => { shown = ''; });
        return el('label', 'switch', box, text);
      }));
    }
  } catch { /* it is asked again */ }
  setTimeout(phone, 1000);
}
// A small form in place of the browser's own questions.
function ask(title, rows) {
  const t = words(), dialog = $('ask');
  $('ask-title').textContent = title;
  $('ask-name-label').textContent = t.name;
  $('ask-phone-label').textContent = t.phone;
  $('ask-language-label').textContent = t.language;
  $('ask-no').textContent = t.cancel;
  $('ask-phone-row').hidden = !rows.includes('phone');
  $('ask-language-row').hidden = !rows.includes('language');
  for (const row of ['phone', 'language']) $(`ask-${row}-row`).style.display = rows.includes(row) ? '' : 'none';
  $('ask-phone').required = rows.includes('phone');
  $('ask-name').value = $('ask-phone').value = '';
  $('ask-language').value = mine().language;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((go) => {
    dialog.onclose = () => go(dialog.returnValue === 'yes' ? { name: $('ask-name').value.trim(), phone: $('ask-phone').value.trim(), language: $('ask-language').value } : null);
  });
}

$('form').onsubmit = (event) => {
  event.preventDefault();
  const text = $('composer').value;
  if (!text.trim()) return;
  $('composer').value = '';
  $('menu').className = '';
  say(text);
};
$('composer').onkeydown = (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); $('form').requestSubmit(); }
  if (event.key === 'Escape') { leave(); $('menu').className = ''; }
};
$('slash').onclick = () => {
  const menu = $('menu');
  menu.replaceChildren(...commands.map((one) => {
    const row = button('', '', () => { say(`/${one.command}`); menu.className = ''; });
    row.append(el('b', '', `/${one.command}`), one.description);
    return row;
  }));
  menu.classList.toggle('on');
};
$('contact').onclick = async () => {
  const told = await ask(words().contact, ['phone']);
  if (told) post(`/sandbox/chat/${me}/contact`, { name: told.name, phone: told.phone });
};
$('add').onclick = async () => {
  const told = await ask(words().add, ['language']);
  if (!told) return;
  me = (await post('/sandbox/people', { name: told.name, language: told.language })).id;
  revision = 0;
  drawn = '';
  toasts = null;
  await load();
  tick();
};
$('leave').onclick = () => { if (editing) $('composer').value = ''; leave(); };
$('ask-no').onclick = () => $('ask').close('');
function turn(to) {
  document.body.className = to === 'phone' ? 'phone' : '';
  $('tab-chat').setAttribute('aria-pressed', to === 'chat');
  $('tab-phone').setAttribute('aria-pressed', to === 'phone');
  $('log').scrollTop = $('log').scrollHeight;
}
$('tab-chat').onclick = () => turn('chat');
$('tab-phone').onclick = () => turn('phone');
load().then(() => { tick(); phone(); });
