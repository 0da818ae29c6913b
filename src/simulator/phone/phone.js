// One phone: the note above it, the frame, and in the frame a conversation with the Official Account.

import * as api from './api.js'
import { bubble, initials } from './bubble.js'
import { createConversation, dayOf } from './conversation.js'
import { h, icon, sticker, verifiedMark } from './dom.js'

/** @typedef {import('./texts.js').TextKey} TextKey */
/** @typedef {import('./texts.js').Lang} Lang */
/** @typedef {import('./api.js').Draft} Draft */
/** @typedef {import('./api.js').SendKind} SendKind */
/** @typedef {import('./dom.js').IconName} IconName */
/**
 * @typedef {object} PhoneOptions
 * @property {import('./api.js').Person} person
 * @property {import('./api.js').Account} account
 * @property {string} label how browser tests and the server know this phone
 * @property {string} title the label in the page's language
 * @property {string} hint
 * @property {string | null} role
 * @property {string | null} unit
 * @property {Lang} lang
 * @property {(key: TextKey, values?: Record<string, string | number>) => string} t
 * @property {() => void} activate
 * @property {() => void} changed the number of unread messages may be different now
 */
/** @typedef {ReturnType<typeof createPhone>} Phone */

const TIME_ZONE = 'Asia/Ho_Chi_Minh'
// how near the end the conversation must be to follow new messages
const NEAR_END_PX = 80
const MESSAGES_AT_ONCE = 200
// a state of an own message changes after it was read once; so many of the newest are read again each time
const READ_AGAIN = 30
const NOTICE_MS = 6_000

/** @param {PhoneOptions} options */
export function createPhone({ person, account, label, title, hint, role, unit, lang, t, activate, changed }) {
  const conversation = createConversation()
  const oaId = account.oa_id
  const draftKey = `draft.${person.id}`
  let online = person.online !== false
  let following = person.following?.includes(oaId) ?? true
  let active = false
  let limit = MESSAGES_AT_ONCE
  /** @type {'attach' | 'sticker' | 'two' | 'info' | undefined} */
  let panelOpen
  /** @type {EventSource | undefined} */
  let stream
  /** @type {Promise<unknown>} */
  let sending = Promise.resolve()
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let noticeTimer
  let loaded = false

  const clock = new Intl.DateTimeFormat('vi-VN', { timeZone: TIME_ZONE, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const longDay = new Intl.DateTimeFormat(lang === 'vi' ? 'vi-VN' : 'en-GB', {
    timeZone: TIME_ZONE,
    weekday: 'long',
    day: '2-digit',
    month: '2-digit',
    year: 'numeric',
  })
  const around = {
    t,
    oaName: account.name,
    personName: person.name,
    time: (/** @type {number} */ at) => clock.format(at),
    tap,
    share: () => showPanel('info'),
    retry,
    notify,
  }

  // ---- the note above the phone: stage directions, nothing of Zalo

  const signalButton = chip('signal', 'signalOff', t('stage.signal'), () => changeOnline(!online))
  const inviteButton = role ? chip('invite', 'ticket', t('stage.invite'), invite) : undefined
  const twoButton = chip('two', 'two', t('stage.two'), () => showPanel(panelOpen === 'two' ? undefined : 'two'))
  const hintToggle = h(
    'button',
    {
      type: 'button',
      class: 'hint-toggle',
      'aria-expanded': 'false',
      data: { role: 'hints' },
      on: { click: () => foldNote(!note.classList.contains('open')) },
    },
    t('stage.hint'),
    icon('down', 18),
  )
  const note = h(
    'div',
    { class: 'note' },
    h(
      'div',
      { class: 'note-title' },
      h('h2', { text: title }),
      h('span', { class: 'note-name', text: person.name === title ? '' : person.name }),
      hintToggle,
    ),
    h('div', { class: 'note-more' }, h('p', { text: hint }), h('div', { class: 'chips' }, inviteButton, signalButton, twoButton)),
  )

  // ---- the frame

  const statusTime = h('span', { text: clock.format(Date.now()) })
  const menuButton = h(
    'button',
    {
      type: 'button',
      class: 'header-button',
      'aria-label': t('chat.menu'),
      'aria-haspopup': 'true',
      'aria-expanded': 'false',
      data: { role: 'menu' },
      on: { click: () => showMenu(menu.hidden) },
    },
    icon('menu'),
  )
  const followItem = h('button', { type: 'button', data: { role: 'follow' }, on: { click: () => changeFollowing(!following) } })
  const menu = h('div', { class: 'menu', hidden: true }, followItem)
  const offlineBar = h('div', { class: 'offline-bar', role: 'status', data: { role: 'offline' } })
  const followBar = h(
    'div',
    { class: 'follow-bar', hidden: true },
    h('span', { text: t('chat.followAsk') }),
    h('button', { type: 'button', data: { role: 'follow-bar' }, text: t('chat.follow'), on: { click: () => changeFollowing(true) } }),
  )
  const intro = h(
    'div',
    { class: 'intro' },
    h('span', { class: 'intro-face', 'aria-hidden': 'true', text: initials(account.name) }),
    h('strong', {}, account.name),
    h('span', { text: t('chat.kind') }),
    h('p', { text: t('chat.intro') }),
  )
  const olderButton = h('button', {
    type: 'button',
    class: 'older',
    hidden: true,
    data: { role: 'older' },
    text: t('chat.older'),
    on: {
      click: () => {
        limit += MESSAGES_AT_ONCE
        const fromEnd = log.scrollHeight - log.scrollTop
        draw()
        log.scrollTop = log.scrollHeight - fromEnd
      },
    },
  })
  const rows = h('div', { class: 'rows' })
  const log = h(
    'div',
    {
      class: 'log',
      role: 'log',
      tabindex: '0',
      'aria-label': t('chat.log', { name: person.name, oa: account.name }),
      'aria-live': 'off',
      data: { role: 'log' },
      on: { scroll: onScroll },
    },
    intro,
    olderButton,
    rows,
  )
  const newestCount = h('span', { class: 'count' })
  const newestButton = h(
    'button',
    {
      type: 'button',
      class: 'newest',
      hidden: true,
      'aria-label': t('chat.newest'),
      data: { role: 'newest' },
      on: { click: () => scrollToEnd(true) },
    },
    icon('down'),
    newestCount,
  )
  const notice = h('div', { class: 'notice', role: 'status', data: { role: 'notice' } })
  const input = h('textarea', {
    class: 'input',
    rows: '1',
    maxlength: '2000',
    placeholder: t('type.box'),
    'aria-label': t('type.boxFor', { name: person.name }),
    enterkeyhint: 'send',
    autocomplete: 'off',
    data: { role: 'input' },
    on: { input: onInput, keydown: onKey },
  })
  const sendButton = h(
    'button',
    { type: 'button', class: 'tool send', 'aria-label': t('type.send'), data: { role: 'send' }, on: { click: sendTyped } },
    icon('send', 26),
  )
  const stickerButton = tool('smile', t('attach.sticker'), 'sticker')
  const attachButton = tool('dots', t('type.attach'), 'attach')
  const panel = h('div', { class: 'panel', hidden: true, data: { role: 'panel' } })
  const screen = h(
    'div',
    { class: 'screen' },
    h(
      'div',
      { class: 'status-bar', 'aria-hidden': 'true' },
      statusTime,
      h('span', { class: 'status-icons' }, icon('signal', 18), icon('signalOff', 18), h('span', { class: 'battery' })),
    ),
    h(
      'header',
      { class: 'chat-header' },
      h('span', { class: 'header-back', 'aria-hidden': 'true' }, icon('back', 22)),
      h(
        'div',
        { class: 'header-words' },
        h(
          'div',
          { class: 'header-name' },
          h('span', { text: account.name }),
          account.verified !== false && h('span', { role: 'img', class: 'mark', 'aria-label': t('chat.verified') }, verifiedMark()),
        ),
        h('div', { class: 'header-kind', text: t('chat.kind') }),
      ),
      menuButton,
      menu,
    ),
    offlineBar,
    followBar,
    h('div', { class: 'log-area' }, log, newestButton, notice),
    h('div', { class: 'composer' }, stickerButton, input, attachButton, sendButton),
    panel,
  )
  const element = h(
    'section',
    {
      class: 'phone',
      'aria-label': title,
      data: { phone: label, person: person.id },
      on: { pointerdown: activate, focusin: activate, keydown: onEscape },
    },
    note,
    h('div', { class: 'frame' }, screen),
  )

  // stays at the end while pictures load and the screen changes its height
  let atEnd = true
  const resize = new ResizeObserver(() => atEnd && scrollToEnd(false))
  resize.observe(rows)
  resize.observe(log)
  const everyMinute = setInterval(() => {
    statusTime.textContent = clock.format(Date.now())
  }, 10_000)

  input.value = sessionStorage.getItem(draftKey) ?? ''
  showOnline()
  showFollowing()

  // ---- small parts

  /**
   * @param {string} dataRole
   * @param {IconName} iconName
   * @param {string} text
   * @param {() => void} click
   */
  function chip(dataRole, iconName, text, click) {
    return h('button', { type: 'button', class: 'chip', data: { role: dataRole }, on: { click } }, icon(iconName, 18), h('span', { text }))
  }

  /**
   * @param {IconName} iconName
   * @param {string} text
   * @param {'attach' | 'sticker'} opens
   */
  function tool(iconName, text, opens) {
    return h(
      'button',
      {
        type: 'button',
        class: 'tool',
        'aria-label': text,
        'aria-expanded': 'false',
        data: { role: opens },
        on: { click: () => showPanel(panelOpen === opens ? undefined : opens) },
      },
      icon(iconName, 26),
    )
  }

  /** @param {string} text */
  function notify(text) {
    notice.textContent = text
    notice.classList.add('shown')
    clearTimeout(noticeTimer)
    noticeTimer = setTimeout(() => notice.classList.remove('shown'), NOTICE_MS)
  }

  /** @param {unknown} error */
  function complain(error) {
    const refused = error instanceof api.ApiError && error.status !== 0
    notify(refused ? t('chat.refused', { reason: error.message }) : t('page.failed'))
  }

  /** @param {boolean} open */
  function showMenu(open) {
    menu.hidden = !open
    menuButton.setAttribute('aria-expanded', String(open))
    if (open) followItem.focus()
  }

  /** On a narrow screen the note and what is opened under the typing box do not fit together. */
  function foldNote(open = false) {
    note.classList.toggle('open', open)
    hintToggle.setAttribute('aria-expanded', String(open))
  }

  // ---- what is open under the typing box

  /** @param {typeof panelOpen} open */
  function showPanel(open) {
    panelOpen = open
    panel.hidden = open === undefined
    stickerButton.setAttribute('aria-expanded', String(open === 'sticker'))
    attachButton.setAttribute('aria-expanded', String(open === 'attach'))
    twoButton.setAttribute('aria-expanded', String(open === 'two'))
    panel.replaceChildren()
    if (open) foldNote()
    if (open === 'attach') panel.append(attachGrid())
    if (open === 'sticker') panel.append(stickerGrid())
    if (open === 'two') panel.append(twoForm())
    if (open === 'info') panel.append(infoForm())
    panel.querySelector('button, input')?.focus()
  }

  function attachGrid() {
    /** @type {{ kind: SendKind, icon: IconName, name: string, draft: Omit<Draft, 'kind'> }[]} */
    const kinds = [
      {
        kind: 'image',
        icon: 'image',
        name: t('attach.image'),
        draft: { name: t('attach.imageName'), data: drawPicture(t('attach.imageText'), person.name) },
      },
      { kind: 'location', icon: 'location', name: t('attach.location'), draft: { text: t('attach.place') } },
      { kind: 'sticker', icon: 'smile', name: t('attach.sticker'), draft: {} },
      { kind: 'voice', icon: 'mic', name: t('attach.voice'), draft: {} },
      { kind: 'card', icon: 'card', name: t('attach.card'), draft: { name: person.name } },
      { kind: 'file', icon: 'file', name: t('attach.file'), draft: { name: t('attach.fileName') } },
    ]
    return h(
      'div',
      { class: 'attach' },
      ...kinds.map((item) =>
        h(
          'button',
          {
            type: 'button',
            class: `attach-${item.kind}`,
            data: { role: 'attach-kind', kind: item.kind },
            on: { click: () => sendFromPanel({ kind: item.kind, ...item.draft }) },
          },
          h('span', { class: 'attach-icon' }, icon(item.icon, 28)),
          h('span', { text: item.name }),
        ),
      ),
    )
  }

  function stickerGrid() {
    return h(
      'div',
      { class: 'stickers' },
      h(
        'button',
        {
          type: 'button',
          'aria-label': t('attach.sticker'),
          data: { role: 'attach-kind', kind: 'sticker' },
          on: { click: () => sendFromPanel({ kind: 'sticker' }) },
        },
        sticker(),
      ),
    )
  }

  /** @param {Draft} draft */
  function sendFromPanel(draft) {
    showPanel(undefined)
    input.focus()
    send(draft)
  }

  /**
   * @param {string} text
   * @param {Record<string, unknown>} attributes
   */
  function field(text, attributes) {
    return h('label', {}, h('span', { text }), h('input', { type: 'text', autocomplete: 'off', ...attributes }))
  }

  /**
   * @param {HTMLElement[]} fields
   * @param {{ text: string, data: Record<string, string> }} button
   * @param {(values: string[]) => void} done
   */
  function panelForm(fields, button, done) {
    /** @param {Event} event */
    const submit = (event) => {
      event.preventDefault()
      const values = fields.map((one) => one.querySelector('input')?.value.trim() ?? '')
      showPanel(undefined)
      input.focus()
      done(values)
    }
    return h(
      'form',
      { class: 'panel-form', on: { submit } },
      ...fields,
      h(
        'div',
        { class: 'form-buttons' },
        h('button', { type: 'button', class: 'plain', text: t('type.close'), on: { click: () => showPanel(undefined) } }),
        h('button', { type: 'submit', class: 'primary', ...button }),
      ),
    )
  }

  function twoForm() {
    const fields = [
      field(t('type.first'), { maxlength: 2000, data: { role: 'two-first' } }),
      field(t('type.second'), { maxlength: 2000, data: { role: 'two-second' } }),
    ]
    return panelForm(fields, { text: t('type.both'), data: { role: 'two-send' } }, (texts) => {
      /** @type {Draft[]} */
      const drafts = texts.filter((text) => text !== '').map((text) => ({ kind: 'text', text }))
      if (drafts.length > 0) send(...drafts)
    })
  }

  function infoForm() {
    const fields = [
      field(t('type.name'), { required: true, value: person.name, data: { role: 'info-name' } }),
      field(t('type.phone'), { required: true, type: 'tel', value: '0900000000', data: { role: 'info-phone' } }),
    ]
    return panelForm(fields, { text: t('content.share'), data: { role: 'info-send' } }, async ([name = '', phone = '']) => {
      try {
        await api.submitInfo(person.id, oaId, { name, phone })
        await refresh()
      } catch (error) {
        complain(error)
      }
    })
  }

  // ---- typing

  function onInput() {
    sessionStorage.setItem(draftKey, input.value)
    sendButton.classList.toggle('ready', input.value.trim() !== '')
    input.style.height = 'auto'
    // a phone that is not on the screen has no heights
    if (input.scrollHeight > 0) input.style.height = `${Math.min(input.scrollHeight, 132)}px`
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    // a Vietnamese input method uses Enter to finish a word
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return
    event.preventDefault()
    sendTyped()
  }

  /** @param {KeyboardEvent} event */
  function onEscape(event) {
    if (event.key !== 'Escape') return
    if (!menu.hidden) {
      showMenu(false)
      menuButton.focus()
    } else if (panelOpen) {
      showPanel(undefined)
      input.focus()
    }
  }

  /** @param {string} text */
  function fillInput(text) {
    input.value = text
    onInput()
    input.focus()
  }

  function sendTyped() {
    const text = input.value.trim()
    fillInput('')
    if (text !== '') send({ kind: 'text', text })
  }

  // ---- talking to the platform

  /** @param {...Draft} drafts several leave the phone in one moment */
  function send(...drafts) {
    const items = drafts.map((draft) => conversation.add(draft, Date.now()))
    draw()
    scrollToEnd(false)
    post(items)
  }

  /** @param {import('./conversation.js').Pending[]} items */
  function post(items) {
    // Several are collected without signal and let go together: the first cannot be answered before the second is there, and
    // their order is sure.
    const together = items.length > 1 && online
    // two messages written quickly must arrive in the order they were written
    sending = sending.then(async () => {
      if (together) await api.setOnline(person.id, false).catch(complain)
      for (const item of items) {
        try {
          const answer = await api.sendMessage(person.id, oaId, item.draft)
          conversation.settle(item, answer.msg_id)
        } catch (error) {
          item.state = 'failed'
          complain(error)
        }
      }
      if (together) await api.setOnline(person.id, true).catch(complain)
      draw()
      refresh().catch(() => {})
    })
  }

  /** @param {string} key */
  function retry(key) {
    const item = conversation.findPending(key)
    if (item?.state !== 'failed') return
    item.state = 'sending'
    draw()
    post([item])
  }

  /**
   * @param {import('./api.js').Message} message
   * @param {{ button: number } | { element: number }} target
   */
  async function tap(message, target) {
    try {
      atEnd = true
      await api.tap(person.id, oaId, message.msg_id, target)
      await refresh()
      scrollToEnd(false)
    } catch (error) {
      complain(error)
    }
  }

  /** @param {boolean} next */
  async function changeFollowing(next) {
    showMenu(false)
    try {
      await api.setFollowing(person.id, oaId, next)
      following = next
      showFollowing()
      await refresh()
    } catch (error) {
      complain(error)
    }
  }

  function showFollowing() {
    followBar.hidden = following
    followItem.textContent = following ? t('chat.unfollow') : t('chat.follow')
    element.dataset.following = String(following)
  }

  /** @param {boolean} next */
  async function changeOnline(next) {
    try {
      await api.setOnline(person.id, next)
      online = next
      showOnline()
      // every message that waited has another state now
      loaded = false
      await refresh()
      draw()
    } catch (error) {
      complain(error)
    }
  }

  function showOnline() {
    offlineBar.textContent = online ? '' : t('chat.offline')
    signalButton.setAttribute('aria-pressed', String(!online))
    element.dataset.online = String(online)
  }

  async function invite() {
    try {
      const { code } = await api.createInvitation(role ?? '', unit)
      foldNote()
      fillInput(`MÃ ${code}`)
      notify(t('stage.invited'))
    } catch (error) {
      if (error instanceof api.ApiError && error.status === 404) {
        inviteButton.hidden = true
        notify(t('stage.noInvite'))
      } else complain(error)
    }
  }

  /** Reads what is new, and the newest again for their states. */
  async function refresh() {
    const after = loaded ? Math.max(0, conversation.lastSeq - READ_AGAIN) : 0
    const messages = await api.getMessages(person.id, oaId, after)
    loaded = true
    if (conversation.merge(messages)) draw()
  }

  function openStream() {
    if (stream) return
    stream = new EventSource(api.streamUrl(person.id))
    stream.addEventListener('open', () => refresh().catch(() => {}))
    stream.addEventListener('message', (event) => {
      const message = JSON.parse(event.data)
      if (message.oa_id !== undefined && message.oa_id !== oaId) return
      if (typeof message.seq !== 'number' || typeof message.msg_id !== 'string') return
      const { oa_id: _, ...rest } = message
      if (conversation.merge([rest])) draw()
    })
    stream.addEventListener('status', (event) => {
      const { msg_id: msgId, status, at } = JSON.parse(event.data)
      if (typeof msgId === 'string' && typeof status === 'string' && conversation.setStatus(msgId, { status, at })) draw()
      else refresh().catch(() => {})
    })
  }

  function closeStream() {
    stream?.close()
    stream = undefined
  }

  // ---- drawing

  /** @type {Map<string, { signature: string, node: HTMLElement }>} */
  let drawn = new Map()

  /** @param {number} at */
  function dayText(at) {
    const day = dayOf(at)
    if (day === dayOf(Date.now())) return t('chat.today')
    if (day === dayOf(Date.now() - 86_400_000)) return t('chat.yesterday')
    return longDay.format(at)
  }

  function draw() {
    const stay = atEnd
    const { items, older } = conversation.layout(limit)
    olderButton.hidden = older === 0
    intro.hidden = items.length > 0
    const next = new Map()
    /** @type {ChildNode | null} */
    let place = rows.firstChild
    for (const item of items) {
      const signature = item.type === 'day' ? dayText(item.at) : JSON.stringify(item)
      const known = drawn.get(item.key)
      const node =
        known?.signature === signature
          ? known.node
          : item.type === 'day'
            ? h('div', { class: 'day', data: { role: 'day' } }, h('span', { text: signature }))
            : bubble(item, around)
      next.set(item.key, { signature, node })
      if (known && known.node !== node) {
        if (place === known.node) place = known.node.nextSibling
        known.node.remove()
      }
      if (node === place) place = node.nextSibling
      else rows.insertBefore(node, place)
    }
    for (const [key, { node }] of drawn) if (!next.has(key)) node.remove()
    drawn = next
    if (stay) scrollToEnd(false)
    look()
  }

  function onScroll() {
    const before = atEnd
    atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX
    if (atEnd !== before) look()
  }

  /** @param {boolean} smooth */
  function scrollToEnd(smooth) {
    atEnd = true
    log.scrollTo({ top: log.scrollHeight, behavior: smooth ? 'smooth' : 'instant' })
    newestButton.hidden = true
  }

  /** The person has seen what came when the phone is in use, at the end of the conversation, and the page is in front. */
  function look() {
    const unseen = conversation.lastUnseen()
    if (unseen > 0 && active && atEnd && document.visibilityState === 'visible') {
      conversation.seenUpTo(unseen)
      api.markSeen(person.id, oaId).catch(() => {})
    }
    const unread = conversation.countUnread()
    newestButton.hidden = atEnd
    newestCount.textContent = unread > 0 ? String(unread) : ''
    element.dataset.unread = String(unread)
    changed()
  }

  onInput()

  return {
    element,
    label,
    title,
    person,
    refresh,
    countUnread: () => conversation.countUnread(),
    /** Not on a touch screen, where it would bring up the keyboard unasked. */
    focusInput: () => {
      if (!matchMedia('(pointer: coarse)').matches) input.focus({ preventScroll: true })
    },

    /** The phone in use has the live stream and counts as looked at. @param {boolean} next */
    setActive(next) {
      active = next
      element.classList.toggle('active', next)
      log.setAttribute('aria-live', next ? 'polite' : 'off')
      if (next) {
        openStream()
        look()
      } else closeStream()
    },

    /** Where the conversation was when the phone was last on the screen. */
    returnToView() {
      if (atEnd) scrollToEnd(false)
    },

    /** Nothing is read while the page is behind another. @param {boolean} visible */
    setVisible(visible) {
      if (!visible) closeStream()
      else if (active) {
        openStream()
        look()
      }
    },

    destroy() {
      closeStream()
      resize.disconnect()
      clearInterval(everyMinute)
      clearTimeout(noticeTimer)
      element.remove()
    },
  }
}

/**
 * A picture to send: somebody's certificate, so that what arrives at the other side can be recognised.
 * @param {string} title
 * @param {string} name
 * @returns {string} JPEG in base64
 */
function drawPicture(title, name) {
  const canvas = document.createElement('canvas')
  canvas.width = 640
  canvas.height = 440
  const pen = canvas.getContext('2d')
  if (!pen) return ''
  pen.fillStyle = '#fff8e6'
  pen.fillRect(0, 0, 640, 440)
  pen.strokeStyle = '#c8102e'
  pen.lineWidth = 10
  pen.strokeRect(20, 20, 600, 400)
  pen.lineWidth = 2
  pen.strokeRect(34, 34, 572, 372)
  pen.textAlign = 'center'
  pen.fillStyle = '#c8102e'
  pen.font = '700 60px "Noto Serif", Georgia, serif'
  pen.fillText(title, 320, 190)
  pen.fillStyle = '#333'
  pen.font = '400 38px "Noto Serif", Georgia, serif'
  pen.fillText(name, 320, 270)
  return canvas.toDataURL('image/jpeg', 0.85).replace('data:image/jpeg;base64,', '')
}
