import type { FastifyInstance } from 'fastify'

/** `carriesCode`: the link tells the bot the code by itself. */
export type ChatLink = { name: string; url: string; carriesCode: boolean }
export type VillagePage = { village: string; commune: string; code: string; chats: ChatLink[] }

export type PagesDeps = {
  /** The village of a QR code. */
  findVillagePage(code: string): Promise<VillagePage | undefined>
  /** Sample mode puts the phone page at `/` itself. */
  hasOwnRoot: boolean
}

/** Pages people open: where a village's QR code leads, and what this address is. */
export function registerPages(app: FastifyInstance, deps: PagesDeps): void {
  app.get<{ Params: { code: string } }>('/b/:code', async (request, reply) => {
    const page = await deps.findVillagePage(request.params.code)
    reply.type('text/html; charset=utf-8')
    if (!page) {
      return reply.status(404).send(html('Không tìm thấy', ['Mã này chưa đúng. Bà con hỏi lại trưởng bản giúp nhé.']))
    }
    return html('Công dân học tập', [`Bà con ở ${page.village}, xã ${page.commune}.`, howToCome(page.chats)], page)
  })
  if (deps.hasOwnRoot) return
  app.get('/', async (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .send(
        html('Học Tập Bot', [
          'Đây là trợ lý của Hội Khuyến học xã trên Zalo.',
          'This is the chat assistant of a commune’s study-promotion association in Việt Nam.',
        ]),
      ),
  )
}

function howToCome(chats: readonly ChatLink[]): string {
  const typed = chats.filter((chat) => !chat.carriesCode).map((chat) => chat.name)
  const carried = chats.filter((chat) => chat.carriesCode).map((chat) => chat.name)
  if (chats.length === 0) return 'Mở tài khoản Zalo của Hội Khuyến học xã, rồi nhắn mã này:'
  if (carried.length === 0) return `Bấm nút dưới đây để mở ${typed.join(', ')}, rồi nhắn mã này:`
  if (typed.length === 0) return `Bấm nút dưới đây để mở ${carried.join(', ')}, rồi bấm BẮT ĐẦU (START). Mã của bản:`
  return `Bấm một nút dưới đây. Mở ${typed.join(', ')} thì nhắn mã này; mở ${carried.join(', ')} thì chỉ cần bấm BẮT ĐẦU (START):`
}

function html(title: string, paragraphs: string[], extra: { code?: string; chats?: readonly ChatLink[] } = {}): string {
  const code = extra.code ? `<p class="code">${escapeHtml(extra.code)}</p>` : ''
  const links = (extra.chats ?? []).map((chat) => `<p><a href="${escapeHtml(chat.url)}">Mở ${escapeHtml(chat.name)}</a></p>`).join('')
  return `<!doctype html><html lang="vi"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)}</title>
<style>body{font:20px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:32rem;padding:0 1rem;color:#111}.code{font-size:2.5rem;font-weight:700;letter-spacing:.1em}a{display:inline-block;background:#0068ff;color:#fff;padding:.8rem 1.4rem;border-radius:.6rem;text-decoration:none}</style>
<h1>${escapeHtml(title)}</h1>${paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`).join('')}${code}${links}</html>`
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
export const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
