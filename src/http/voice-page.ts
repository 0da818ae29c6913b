import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import formbody from '@fastify/formbody'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import type { PageButton, PageView, PageWords, PressOutcome } from '../conversation/voice-page.ts'
import type { ClipSound } from '../registry/voice-clips.ts'
import { escapeHtml } from './pages.ts'

export type VoicePageDeps = {
  openVoicePage(token: string): Promise<PageView>
  pressVoicePage(token: string, once: string, press: string): Promise<PressOutcome>
  chooseOnVoicePage(token: string, language: string): Promise<PressOutcome>
  loadSound(digest: string): Promise<ClipSound | undefined>
}

// A person presses a few times a minute; a phone that repeats itself is held back. Counted by link, for a whole village may share one address
const PER_MINUTE = 90

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "media-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const MAX_TOKEN_CHARS = 300
const Token = z.object({ clip: z.string().max(MAX_TOKEN_CHARS) })
const Pressed = z.object({ once: z.string().max(400), press: z.string().max(40) })
const Chosen = z.object({ language: z.string().regex(/^[a-z]{3}$/) })

/** Where 🔊 Nghe leads: the open question read aloud, with its answers as big buttons. It plays, takes presses, and needs nothing from elsewhere. */
export function registerVoicePage(app: FastifyInstance, deps: VoicePageDeps): void {
  const asset = (name: string) => readFileSync(join(import.meta.dirname, 'voice', name), 'utf8')
  const script = asset('nghe.js')
  const style = asset('nghe.css')

  void app.register(async (scope) => {
    await scope.register(formbody, { bodyLimit: 4096 })
    await scope.register(rateLimit, {
      max: PER_MINUTE,
      timeWindow: 60_000,
      keyGenerator: (request) => ((request.params as { clip?: string }).clip ?? request.ip).slice(0, MAX_TOKEN_CHARS),
    })
    const free = { config: { rateLimit: false as const } }

    scope.get('/nghe/nghe.js', free, (_request, reply) => file(reply, 'text/javascript; charset=utf-8', script))
    scope.get('/nghe/nghe.css', free, (_request, reply) => file(reply, 'text/css; charset=utf-8', style))

    scope.get<{ Params: { digest: string } }>('/nghe/tieng/:digest', free, async (request, reply) => {
      const digest = request.params.digest
      const found = /^[0-9a-f]{64}$/.test(digest) ? await deps.loadSound(digest) : undefined
      if (!found) return reply.status(404).send({ error: 'there is no such recording' })
      return sound(reply, found, request.headers.range)
    })

    scope.get('/nghe/:clip', async (request, reply) => {
      const { data } = Token.safeParse(request.params)
      const view = await deps.openVoicePage(data?.clip ?? '')
      return page(reply, view, data?.clip ?? '')
    })

    scope.post('/nghe/:clip', async (request, reply) => {
      const token = Token.safeParse(request.params).data?.clip ?? ''
      const pressed = Pressed.safeParse(request.body)
      const chosen = Chosen.safeParse(request.body)
      if (pressed.success) await deps.pressVoicePage(token, pressed.data.once, pressed.data.press)
      else if (chosen.success) await deps.chooseOnVoicePage(token, chosen.data.language)
      else return reply.status(400).send({ error: 'nothing was pressed' })
      // Whatever became of the press, the page shows what is open now
      return reply.redirect(`/nghe/${encodeURIComponent(token)}`, 303)
    })
  })
}

function file(reply: FastifyReply, type: string, body: string): FastifyReply {
  return reply.type(type).header('cache-control', 'public, max-age=3600').send(body)
}

/** Phones ask for parts of a sound, and some play nothing that cannot be had in parts. */
function sound(reply: FastifyReply, { contentType, sound: bytes }: ClipSound, range: string | undefined): FastifyReply {
  void reply.type(contentType).header('accept-ranges', 'bytes').header('cache-control', 'private, max-age=86400, immutable')
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? []
  if (from === '' && to === '') return reply.send(bytes)
  const first = from === '' ? Math.max(0, bytes.length - Number(to)) : Number(from)
  const last = from === '' || to === '' ? bytes.length - 1 : Math.min(Number(to), bytes.length - 1)
  if (first > last) return reply.status(416).header('content-range', `bytes */${bytes.length}`).send()
  return reply
    .status(206)
    .header('content-range', `bytes ${first}-${last}/${bytes.length}`)
    .send(bytes.subarray(first, last + 1))
}

function page(reply: FastifyReply, view: PageView, token: string): FastifyReply {
  const body = bodyOf(view, `/nghe/${encodeURIComponent(token)}`)
  return reply
    .status(view.kind === 'gone' ? 404 : 200)
    .type('text/html; charset=utf-8')
    .header('content-security-policy', POLICY)
    .header('cache-control', 'no-store')
    .send(
      `<!doctype html><html lang="${view.kind === 'gone' ? 'vi' : view.language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(view.title)}</title><link rel="stylesheet" href="/nghe/nghe.css"><body>${body}<audio id="sound" preload="auto"></audio><script src="/nghe/nghe.js"></script></body></html>`,
    )
}

const address = (digest: string) => `/nghe/tieng/${digest}`

function bodyOf(view: PageView, action: string): string {
  switch (view.kind) {
    case 'gone':
      return `<main><p class="done">${escapeHtml(view.text)}</p></main>`
    case 'languages': {
      const rows = view.languages.map(
        ({ code, name }, index) =>
          `<div class="row"><div class="cell"><button class="answer" type="submit" name="language" value="${code}"><b>${index + 1}</b><span>${escapeHtml(name)}</span></button></div></div>`,
      )
      return `<main><p class="ask">${escapeHtml(view.title)}</p><form method="post" action="${action}">${rows.join('')}</form></main>`
    }
    case 'done': {
      const plays = view.sound
        ? `<button class="play" type="button" data-sound="${address(view.sound)}">🔊 ${escapeHtml(view.words.again)}</button>`
        : ''
      const texts = view.texts.map((text) => `<p class="done">${escapeHtml(text)}</p>`).join('')
      return `<main><div class="tick">✓</div>${plays}${texts}</main>`
    }
    case 'question': {
      const [whose, ...rest] = view.heading
      const steps = view.progress ? `<progress class="steps" max="${view.progress.total}" value="${view.progress.n - 1}"></progress>` : ''
      const heading = whose
        ? `<p class="heading">${rest.length > 0 ? `<b>${escapeHtml(whose)}</b>` : ''}${escapeHtml(rest.join(' ') || whose)}</p>`
        : ''
      const plays = view.sound
        ? `<button class="play" type="button" data-sound="${address(view.sound)}">▶ ${escapeHtml(view.words.play)}</button>`
        : ''
      const lines = view.lines
        .map(
          ({ text, press, label, sound: heard }) =>
            `<div class="line"${heard ? ` data-sound="${address(heard)}"` : ''}><span>${escapeHtml(text)}</span>${press ? `<div><button type="submit" name="press" value="${press}">${escapeHtml(label ?? '')}</button></div>` : ''}</div>`,
        )
        .join('')
      const plain = view.buttons.every(({ label }) => label === '')
      return `<main>${heading}${steps}${plays}<p class="ask">${escapeHtml(view.text)}</p><p class="note note-saving">${escapeHtml(view.words.saving)}</p><p class="note note-offline">${escapeHtml(view.words.offline)}</p><form method="post" action="${action}"><input type="hidden" name="once" value="${view.once}"><div class="lines">${lines}</div><div${plain ? ' class="numbers"' : ''}>${view.buttons.map((button) => answer(button, view.words, { plain })).join('')}</div><div class="small">${view.small.map((button) => answer(button, view.words, { aside: true })).join('')}</div></form></main>`
    }
    default:
      return view satisfies never
  }
}

type Look = { /** A number alone. */ plain?: boolean /** Not read out with the others. */; aside?: boolean }

function answer({ number, label, press, sound: heard }: PageButton, words: PageWords, { plain = false, aside = false }: Look): string {
  const sounds = heard ? ` data-sound="${address(heard)}"${aside ? ' data-aside' : ''}` : ''
  const button = `<button class="answer" type="submit" name="press" value="${press}"${sounds}><b>${escapeHtml(number)}</b>${label ? `<span>${escapeHtml(label)}</span>` : ''}</button>`
  if (plain) return button
  const again = heard
    ? `<div class="cell side"><button class="hear" type="button" data-hear="${address(heard)}" aria-label="${escapeHtml(`${words.play}: ${label}`)}">🔊</button></div>`
    : ''
  return `<div class="row"><div class="cell">${button}</div>${again}</div>`
}
