// One message as Zalo shows it: the bubble, what is in it, the buttons under it, the time and the state.

import { h, icon, sticker, svg } from './dom.js'

/** @typedef {import('./api.js').Message} Message */
/** @typedef {import('./texts.js').TextKey} TextKey */
/** @typedef {'waiting' | 'sending' | 'failed' | 'sent' | 'received' | 'seen'} State */
/**
 * @typedef {object} Shown a message with its place in the conversation
 * @property {string} key
 * @property {Message} message
 * @property {boolean} first first of several by the same side
 * @property {boolean} last last of several by the same side
 * @property {State} [state] of an own message
 * @property {string} [quoted] text of the message this one answers
 * @property {boolean} stateShown Zalo shows the state under the last own message only, and a clock or a warning always
 */
/**
 * @typedef {object} Around what a bubble needs from its phone
 * @property {(key: TextKey, values?: Record<string, string | number>) => string} t
 * @property {string} oaName
 * @property {string} personName
 * @property {(at: number) => string} time
 * @property {(message: Message, target: { button: number } | { element: number }) => void} tap
 * @property {() => void} share
 * @property {(key: string) => void} retry
 * @property {(text: string) => void} notify
 */

/** @type {Record<State, TextKey>} */
const stateTexts = {
  waiting: 'status.waiting',
  sending: 'status.sending',
  failed: 'status.failed',
  sent: 'status.sent',
  received: 'status.received',
  seen: 'status.seen',
}

// the simulator writes these; another event is shown in its own words
/** @type {Record<string, TextKey>} */
const eventTexts = {
  'Đã quan tâm': 'content.followed',
  'Đã bỏ quan tâm': 'content.unfollowed',
  'Đã chia sẻ thông tin': 'content.shared',
}

/**
 * An address the page may link to: http or https only. Files of the simulator are read from the page's own origin,
 * whatever host their address names.
 * @param {unknown} address
 */
export function findLink(address) {
  if (typeof address !== 'string' || address === '') return undefined
  const url = URL.parse(address, location.href)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  if (url.pathname.startsWith('/phone/files/')) return new URL(url.pathname, location.href)
  return url
}

/** @param {unknown} address */
function findOwnImage(address) {
  const url = findLink(address)
  return url && url.origin === location.origin ? url : undefined
}

/**
 * @param {string} text
 * @returns {any}
 */
function textWithLinks(text) {
  const element = h('div', { class: 'text' })
  let from = 0
  for (const match of text.matchAll(/https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]]/g)) {
    const link = findLink(match[0])
    if (!link) continue
    element.append(text.slice(from, match.index), h('a', { href: link.href, target: '_blank', rel: 'noopener noreferrer', text: match[0] }))
    from = match.index + match[0].length
  }
  element.append(text.slice(from))
  return element
}

/**
 * @param {Message} message
 * @param {Around} around
 */
function image(message, { t }) {
  const name = message.name || t('content.image')
  const link = findLink(message.url)
  const own = findOwnImage(message.url)
  if (link && own) {
    return h(
      'a',
      { class: 'picture', href: own.href, target: '_blank', rel: 'noopener', 'aria-label': name },
      h('img', { src: own.href, alt: name }),
    )
  }
  const inside = [icon('image', 40), h('span', { text: link ? t('content.imageElsewhere') : name })]
  return link
    ? h('a', { class: 'picture picture-none', href: link.href, target: '_blank', rel: 'noopener noreferrer' }, ...inside)
    : h('div', { class: 'picture picture-none' }, ...inside)
}

/**
 * @param {Message} message
 * @param {Around} around
 */
function file(message, { t }) {
  const name = message.name || message.text || t('content.file')
  const ending = (/\.([a-z0-9]{1,5})$/i.exec(name)?.[1] ?? '').toLowerCase()
  const link = findLink(message.url)
  return h(
    'div',
    { class: 'file' },
    h(
      'span',
      { class: `file-icon file-${ending || 'other'}`, 'aria-hidden': 'true' },
      icon('file', 30),
      h('span', { text: ending.toUpperCase() || '…' }),
    ),
    h('span', { class: 'file-name', text: name }),
    link &&
      h(
        'a',
        {
          class: 'file-get',
          href: link.href,
          download: name,
          data: { role: 'download' },
          'aria-label': `${t('content.download')}: ${name}`,
        },
        icon('download', 22),
      ),
  )
}

/**
 * @param {Message} message
 * @param {Around} around
 */
function location_(message, { t }) {
  return h(
    'div',
    { class: 'place' },
    svg(
      'svg',
      { class: 'map', viewBox: '0 0 240 110', 'aria-hidden': 'true', focusable: 'false', preserveAspectRatio: 'xMidYMid slice' },
      svg('rect', { width: '240', height: '110', fill: '#e8f1e4' }),
      svg('path', { d: 'M-5 88C40 70 70 100 120 84s70-20 130-4v40H-5z', fill: '#cfe5f7' }),
      svg('path', {
        d: 'M-5 38C60 52 120 12 250 34M64-5c10 40-6 70 8 120M168-5c-8 36 16 62 6 120',
        stroke: '#fff',
        'stroke-width': '7',
        fill: 'none',
      }),
      svg('path', { d: 'M120 70s-17-16-17-30a17 17 0 0134 0c0 14-17 30-17 30z', fill: '#e5484d' }),
      svg('circle', { cx: '120', cy: '40', r: '6.5', fill: '#fff' }),
    ),
    h('div', { class: 'place-name', text: message.text || message.name || t('content.location') }),
  )
}

/**
 * @param {Message} message
 * @param {Around} around
 */
function voice(message, { t, notify }) {
  const link = findOwnImage(message.url)
  const heights = [8, 14, 20, 11, 24, 17, 9, 21, 13, 18, 7, 15, 22, 10]
  return h(
    'div',
    { class: 'voice' },
    link
      ? h('button', {
          type: 'button',
          class: 'voice-play',
          'aria-label': t('content.play'),
          on: { click: () => new Audio(link.href).play().catch(() => notify(t('content.notPlayable'))) },
        })
      : h('span', { class: 'voice-play', 'aria-hidden': 'true' }),
    svg(
      'svg',
      { class: 'wave', viewBox: '0 0 98 28', width: '98', height: '28', 'aria-hidden': 'true', focusable: 'false' },
      ...heights.map((height, index) =>
        svg('rect', { x: String(index * 7), y: String(14 - height / 2), width: '3', height: String(height), rx: '1.5' }),
      ),
    ),
    h('span', { class: 'voice-name', text: message.text || t('content.voice') }),
  )
}

/**
 * @param {Message} message
 * @param {Around} around
 */
function card(message, { t, personName }) {
  const name = message.name || message.text || personName
  return h(
    'div',
    { class: 'card' },
    h('span', { class: 'card-face', 'aria-hidden': 'true', text: initials(name) }),
    h('span', { class: 'card-words' }, h('strong', { text: name }), h('span', { text: message.phone ?? t('content.card') })),
  )
}

/**
 * @param {Message} message
 * @param {Around} around
 */
function list(message, around) {
  const rows = (message.elements ?? []).map((element, index) => {
    const action = element.default_action
    const picture = findOwnImage(element.image_url)
    const inside = [
      element.image_url && index === 0
        ? h('span', { class: 'list-cover' }, picture ? h('img', { src: picture.href, alt: '' }) : icon('image', 40))
        : undefined,
      h(
        'span',
        { class: 'list-words' },
        h('strong', { text: element.title ?? '' }),
        element.subtitle ? h('span', { class: 'list-subtitle', text: element.subtitle }) : undefined,
      ),
      element.image_url && index > 0
        ? h('span', { class: 'list-thumb' }, picture ? h('img', { src: picture.href, alt: '' }) : icon('image', 26))
        : undefined,
    ]
    const className = index === 0 ? 'list-row list-first' : 'list-row'
    if (!action) return h('div', { class: className }, ...inside)
    const data = { role: 'element' }
    const on = { click: () => around.tap(message, { element: index }) }
    const link = action.type === 'oa.open.url' ? findLink(action.url ?? action.payload?.url ?? action.payload) : undefined
    return link
      ? h('a', { class: className, href: link.href, target: '_blank', rel: 'noopener noreferrer', data, on }, ...inside)
      : h('button', { type: 'button', class: className, data, on }, ...inside)
  })
  return h('div', { class: 'list' }, ...rows)
}

/**
 * @param {Message} message
 * @param {Around} around
 */
function buttons(message, around) {
  const share = h(
    'button',
    { type: 'button', class: 'button', data: { role: 'button' }, on: { click: around.share } },
    h('span', { text: around.t('content.share') }),
  )
  if (message.asks_info) return [share]
  return (message.buttons ?? []).map((button, index) => {
    const tap = () => around.tap(message, { button: index })
    const number = button.payload?.phone_code
    const link = button.type === 'oa.open.url' ? findLink(button.payload?.url ?? button.payload) : undefined
    const data = { role: 'button', type: button.type }
    if (link) {
      return h(
        'a',
        { class: 'button', href: link.href, target: '_blank', rel: 'noopener noreferrer', data, on: { click: tap } },
        h('span', { text: button.title }),
        icon('link', 18),
      )
    }
    const click = () => {
      tap()
      if (button.type === 'oa.open.phone') around.notify(around.t('content.callTo', { number }))
      if (button.type === 'oa.open.sms') around.notify(around.t('content.smsTo', { number }))
    }
    return h(
      'button',
      { type: 'button', class: 'button', data, on: { click } },
      h('span', { text: button.title }),
      button.type === 'oa.open.phone' ? icon('phone', 18) : undefined,
    )
  })
}

/**
 * @param {Message} message
 * @param {Around} around
 * @returns {Node[]}
 */
function content(message, around) {
  const text = message.text ? textWithLinks(message.text) : undefined
  switch (message.kind) {
    case 'text':
      return [text ?? h('div', { class: 'text' })]
    case 'image':
      return text ? [image(message, around), text] : [image(message, around)]
    case 'file':
      return [file(message, around)]
    case 'location':
      return [location_(message, around)]
    case 'sticker':
      return [h('div', { class: 'sticker-box', role: 'img', 'aria-label': around.t('content.sticker') }, sticker())]
    case 'voice':
      return [voice(message, around)]
    case 'card':
      return [card(message, around)]
    case 'list':
      return text ? [text, list(message, around)] : [list(message, around)]
    default:
      return [text ?? h('div', { class: 'text', text: around.t('content.unknown', { kind: message.kind }) })]
  }
}

/** @param {string} name */
export function initials(name) {
  const words = name.trim().split(/\s+/)
  const letters = words.length > 1 ? [words[0]?.[0], words.at(-1)?.[0]] : [words[0]?.[0]]
  return letters.join('').toLocaleUpperCase('vi')
}

/**
 * Event lines stand in the middle, everything else on its side.
 * @param {Shown} shown
 * @param {Around} around
 * @returns {HTMLElement}
 */
export function bubble(shown, around) {
  const { message, state } = shown
  const own = message.from === 'person'
  if (message.kind === 'event') {
    const key = eventTexts[message.text ?? '']
    const text = key ? around.t(key, { oa: around.oaName }) : (message.text ?? '')
    return h('div', { class: 'event', data: { role: 'event', seq: message.seq } }, h('span', { text }))
  }
  const below = buttons(message, around)
  const bare = message.kind === 'sticker' || (message.kind === 'image' && !message.text && below.length === 0)
  const row = h(
    'div',
    {
      class: `row ${own ? 'own' : 'other'}${shown.first ? ' first' : ''}${shown.last ? ' last' : ''}`,
      data: { role: 'message', from: message.from, kind: message.kind, seq: message.seq, msgId: message.msg_id, at: message.at, state },
    },
    !own &&
      h(
        'span',
        { class: 'avatar', 'aria-hidden': 'true' },
        shown.first ? h('span', { class: 'avatar-face', text: initials(around.oaName) }) : undefined,
      ),
    h(
      'div',
      { class: 'stack' },
      h(
        'div',
        { class: `bubble${bare ? ' bare' : ''}${below.length > 0 || message.kind === 'list' ? ' wide' : ''}` },
        h('span', { class: 'hear', text: own ? `${around.t('chat.you')}: ` : `${around.oaName}: ` }),
        shown.quoted === undefined ? undefined : h('div', { class: 'quoted', text: shown.quoted }),
        ...content(message, around),
        shown.last ? h('time', { datetime: new Date(message.at).toISOString(), text: around.time(message.at) }) : undefined,
        below.length > 0 ? h('div', { class: 'buttons' }, ...below) : undefined,
      ),
      state && shown.stateShown ? stateLine(shown.key, state, around) : undefined,
    ),
  )
  return row
}

/**
 * @param {string} key
 * @param {State} state
 * @param {Around} around
 */
function stateLine(key, state, around) {
  const text = around.t(stateTexts[state])
  if (state === 'failed') {
    return h(
      'button',
      { type: 'button', class: 'state state-failed', data: { role: 'retry' }, on: { click: () => around.retry(key) } },
      icon('alert', 16),
      text,
    )
  }
  const mark = state === 'waiting' || state === 'sending' ? 'clock' : state === 'sent' ? 'check' : 'checks'
  return h('div', { class: `state state-${state}`, data: { role: 'state' } }, icon(mark, 16), h('span', { text }))
}
