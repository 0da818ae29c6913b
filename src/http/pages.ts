import type { FastifyInstance } from 'fastify'

/** `carriesCode`: the link tells the bot the code by itself. */
export type ChatLink = { name: string; url: string; carriesCode: boolean }
export type VillagePage = { village: string; commune: string; code: string; chats: ChatLink[] }

export type PageText = (key: string, params?: Record<string, string>) => string

export type PagesDeps = {
  /** The village of a QR code. */
  findVillagePage(code: string): Promise<VillagePage | undefined>
  /** A text of the pages, in Vietnamese: whoever comes here has not chosen a language yet. */
  text: PageText
  /** What this address is, in every language. */
  about: readonly string[]
  /** Sample mode puts the phone page at `/` itself. */
  hasOwnRoot: boolean
}

/** Pages people open: where a village's QR code leads, and what this address is. */
export function registerPages(app: FastifyInstance, deps: PagesDeps): void {
  const { text } = deps
  app.get<{ Params: { code: string } }>('/b/:code', async (request, reply) => {
    const page = await deps.findVillagePage(request.params.code)
    reply.type('text/html; charset=utf-8')
    if (!page) {
      return reply.status(404).send(html(text, 'page.not_found.title', [text('page.not_found')]))
    }
    const { village, commune } = page
    return html(text, 'page.village.title', [text('page.village', { village, commune }), howToCome(text, page.chats)], page)
  })
  if (deps.hasOwnRoot) return
  app.get('/', async (_request, reply) => reply.type('text/html; charset=utf-8').send(html(text, 'page.about.title', deps.about)))
}

function howToCome(text: PageText, chats: readonly ChatLink[]): string {
  const typed = chats.filter((chat) => !chat.carriesCode).map((chat) => chat.name)
  const carried = chats.filter((chat) => chat.carriesCode).map((chat) => chat.name)
  const names = { typed: typed.join(', '), carried: carried.join(', ') }
  if (chats.length === 0) return text('page.no_chat')
  if (carried.length === 0) return text('page.type', names)
  if (typed.length === 0) return text('page.carried', names)
  return text('page.both', names)
}

function html(
  text: PageText,
  titleKey: string,
  paragraphs: readonly string[],
  extra: { code?: string; chats?: readonly ChatLink[] } = {},
): string {
  const title = text(titleKey)
  const code = extra.code ? `<p class="code">${escapeHtml(extra.code)}</p>` : ''
  const links = (extra.chats ?? [])
    .map((chat) => `<p><a href="${escapeHtml(chat.url)}">${escapeHtml(text('page.open', { chat: chat.name }))}</a></p>`)
    .join('')
  return `<!doctype html><html lang="vi"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)}</title>
<style>body{font:20px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:32rem;padding:0 1rem;color:#111}.code{font-size:2.5rem;font-weight:700;letter-spacing:.1em}a{display:inline-block;background:#0068ff;color:#fff;padding:.8rem 1.4rem;border-radius:.6rem;text-decoration:none}</style>
<h1>${escapeHtml(title)}</h1>${paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join('')}${code}${links}</html>`
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
export const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
