import { createReadStream } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import type { PageText } from './pages.ts'

export type FilesDeps = {
  text: PageText
  /** The file of a signed link, while it and its officer's role are in force. */
  openFile(token: string): Promise<{ name: string; path: string; contentType: string } | undefined>
}

/** Files for officers. A link that is wrong, old, or whose officer has no role any more looks the same: there is nothing here. */
export function registerFiles(app: FastifyInstance, deps: FilesDeps): void {
  app.get<{ Params: { token: string } }>('/f/:token', async (request, reply) => {
    const file = await deps.openFile(request.params.token).catch(() => undefined)
    reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer')
    if (!file) {
      return reply.status(404).type('text/plain; charset=utf-8').send(deps.text('page.file_gone'))
    }
    const name = encodeURIComponent(file.name)
    return reply
      .type(file.contentType)
      .header('content-disposition', `attachment; filename*=UTF-8''${name}`)
      .send(createReadStream(file.path))
  })
}
