// Building the page without markup strings: what people write enters only as text nodes and attributes.

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * An element with its properties and children. `class`, `data`, `on` and `text` are special, everything else is an attribute
 * (`true` sets it empty, `false`, `null` and `undefined` leave it out).
 * @param {string} tag
 * @param {Record<string, unknown> & { class?: string, text?: string, data?: Record<string, string | number | undefined>, on?: Record<string, (event: any) => void> }} [props]
 * @param {...Child} children
 * @returns {any}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue
    if (name === 'class') element.className = String(value)
    else if (name === 'text') element.textContent = String(value)
    else if (name === 'data') {
      for (const [key, item] of Object.entries(props.data ?? {})) if (item !== undefined) element.dataset[key] = String(item)
    } else if (name === 'on') {
      for (const [event, listener] of Object.entries(props.on ?? {})) element.addEventListener(event, listener)
    } else element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children) if (child) element.append(child)
  return element
}

const SVG = 'http://www.w3.org/2000/svg'

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...Node} children
 */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

// 24 × 24, drawn with a 1.8 line
const paths = {
  back: ['M15 5l-7 7 7 7'],
  menu: ['M4 7h16', 'M4 12h16', 'M4 17h16'],
  down: ['M6 9l6 6 6-6'],
  plus: ['M12 5v14', 'M5 12h14'],
  close: ['M6 6l12 12', 'M18 6L6 18'],
  check: ['M5 12.5l4.5 4.5L19 7.5'],
  checks: ['M2.5 12.5L7 17l9.5-9.5', 'M11.5 16.5l.5.5 9.5-9.5'],
  clock: ['M12 4a8 8 0 100 16 8 8 0 000-16z', 'M12 8v4.2l2.8 1.8'],
  alert: ['M12 4a8 8 0 100 16 8 8 0 000-16z', 'M12 8v5', 'M12 16v.01'],
  image: [
    'M4 6.5A1.5 1.5 0 015.5 5h13A1.5 1.5 0 0120 6.5v11a1.5 1.5 0 01-1.5 1.5h-13A1.5 1.5 0 014 17.5z',
    'M4.5 16.5l4.5-4.5 4 4 2.5-2.5 4 4',
    'M15.5 9v.01',
  ],
  location: ['M12 21s-6.5-6-6.5-11a6.5 6.5 0 0113 0c0 5-6.5 11-6.5 11z', 'M12 12.2a2.2 2.2 0 100-4.4 2.2 2.2 0 000 4.4z'],
  smile: ['M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17z', 'M8.5 14.2c1 1.3 2.1 1.9 3.5 1.9s2.5-.6 3.5-1.9', 'M9 9.8v.01', 'M15 9.8v.01'],
  mic: ['M12 3.5a2.7 2.7 0 00-2.7 2.7v5.3a2.7 2.7 0 005.4 0V6.2A2.7 2.7 0 0012 3.5z', 'M6 11.5a6 6 0 0012 0', 'M12 17.5V21'],
  card: [
    'M4 6.5A1.5 1.5 0 015.5 5h13A1.5 1.5 0 0120 6.5v11a1.5 1.5 0 01-1.5 1.5h-13A1.5 1.5 0 014 17.5z',
    'M9 12a2 2 0 100-4 2 2 0 000 4z',
    'M6 16c.4-1.7 1.5-2.5 3-2.5s2.6.8 3 2.5',
    'M14.5 10H18',
    'M14.5 14H18',
  ],
  file: ['M6 4.5A1.5 1.5 0 017.5 3H14l5 5v11.5a1.5 1.5 0 01-1.5 1.5h-10A1.5 1.5 0 016 19.5z', 'M13.5 3v5.5H19'],
  download: ['M12 4v11', 'M7.5 11l4.5 4.5 4.5-4.5', 'M5 20h14'],
  play: ['M8 5.5v13l10.5-6.5z'],
  dots: ['M5.5 12v.01', 'M12 12v.01', 'M18.5 12v.01'],
  send: ['M4 12l16-7.5-5 15.5-3.5-6z', 'M11.5 14L20 4.5'],
  signal: ['M4 19v-3', 'M9 19v-7', 'M14 19V9', 'M19 19V5'],
  signalOff: ['M4 19v-3', 'M9 19v-7', 'M14 19v-5', 'M19 19v-2', 'M4 4l16 15'],
  link: ['M14 5h5v5', 'M19 5l-8 8', 'M17 14v4.5a.5.5 0 01-.5.5h-11a.5.5 0 01-.5-.5v-11a.5.5 0 01.5-.5H10'],
  phone: ['M6.5 4h3l1.5 4-2 1.5a11 11 0 005.5 5.5l1.5-2 4 1.5v3a1.5 1.5 0 01-1.5 1.5C11 19 5 13 5 5.5A1.5 1.5 0 016.5 4z'],
  ticket: ['M4 7h16v3.5a1.5 1.5 0 000 3V17H4v-3.5a1.5 1.5 0 000-3z', 'M14 8v8'],
  two: ['M4 5h12v7H8l-4 3z', 'M9 15.5h7l4 3V9.5h-1'],
}

/** @typedef {keyof typeof paths} IconName */

/**
 * A decorative icon; the control around it carries the name.
 * @param {IconName} name
 * @param {number} [size]
 */
export function icon(name, size = 24) {
  return svg(
    'svg',
    {
      class: `icon icon-${name}`,
      viewBox: '0 0 24 24',
      width: String(size),
      height: String(size),
      'aria-hidden': 'true',
      focusable: 'false',
    },
    ...paths[name].map((d) => svg('path', { d })),
  )
}

/** The gold mark of a verified account. */
export function verifiedMark() {
  return svg(
    'svg',
    { class: 'verified', viewBox: '0 0 24 24', width: '18', height: '18', 'aria-hidden': 'true', focusable: 'false' },
    svg('path', {
      fill: '#f7b500',
      d: 'M12 1.8l2.7 2 3.3-.1 1 3.2 2.7 1.9-1.1 3.2 1.1 3.2-2.7 1.9-1 3.2-3.3-.1-2.7 2-2.7-2-3.3.1-1-3.2-2.7-1.9L3.4 12 2.3 8.8 5 6.9l1-3.2 3.3.1z',
    }),
    svg('path', {
      d: 'M7.5 12.2l3 3 6-6.2',
      fill: 'none',
      stroke: '#fff',
      'stroke-width': '2.2',
      'stroke-linecap': 'round',
      'stroke-linejoin': 'round',
    }),
  )
}

/** The only sticker on these phones: a smiling face with a graduate's cap. */
export function sticker() {
  return svg(
    'svg',
    { class: 'sticker', viewBox: '0 0 120 120', width: '120', height: '120', 'aria-hidden': 'true', focusable: 'false' },
    svg('circle', { cx: '60', cy: '70', r: '42', fill: '#ffd54a' }),
    svg('circle', { cx: '60', cy: '70', r: '42', fill: 'none', stroke: '#eab308', 'stroke-width': '3' }),
    svg('circle', { cx: '45', cy: '66', r: '5', fill: '#5b3a00' }),
    svg('circle', { cx: '75', cy: '66', r: '5', fill: '#5b3a00' }),
    svg('path', {
      d: 'M42 82c5 9 11 13 18 13s13-4 18-13',
      fill: 'none',
      stroke: '#5b3a00',
      'stroke-width': '4',
      'stroke-linecap': 'round',
    }),
    svg('circle', { cx: '33', cy: '79', r: '6', fill: '#ff9f6b' }),
    svg('circle', { cx: '87', cy: '79', r: '6', fill: '#ff9f6b' }),
    svg('path', { d: 'M60 8l50 19-50 19-50-19z', fill: '#1f3a68' }),
    svg('path', { d: 'M34 37v12c14 8 38 8 52 0V37L60 47z', fill: '#2c4f8c' }),
    svg('path', { d: 'M104 29v22', stroke: '#f59e0b', 'stroke-width': '3', 'stroke-linecap': 'round' }),
    svg('circle', { cx: '104', cy: '54', r: '4', fill: '#f59e0b' }),
  )
}
