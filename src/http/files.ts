import { createReadStream } from 'node:fs'
import type { FastifyInstance } from 'fastify'

export type FilesDeps = {
  /** The file of a signed link, while it and its officer's role are in force. */
  openFile(token: string): Promise<{ name: string; path: string; contentType: string } | undefined>
}

/** Files for officers. A link that is wrong, old, or whose officer has no role any more looks the same: there is nothing here. */
export function registerFiles(app: FastifyInstance, deps: FilesDeps): void {
  app.get<{ Params: { token: string } }>('/f/:token', async (request, reply) => {
    const file = await deps.openFile(request.params.token).catch(() => undefined)
    reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer')
    if (!file) {
      return reply
        .status(404)
        .type('text/plain; charset=utf-8')
        .send('Đường dẫn này không đúng hoặc đã hết hạn (24 giờ). Mời mở lại trong cuộc trò chuyện để lấy tệp mới.')
    }
    const name = encodeURIComponent(file.name)
    return reply
      .type(file.contentType)
      .header('content-disposition', `attachment; filename*=UTF-8''${name}`)
      .send(createReadStream(file.path))
  })
}
