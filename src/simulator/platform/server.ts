import formbody from '@fastify/formbody'
import multipart from '@fastify/multipart'
import fastify, { type FastifyError, type FastifyInstance } from 'fastify'
import type { FileStore } from '../file-store.ts'
import { MAX_UPLOAD_BYTES } from './uploads.ts'

/** The HTTP face of the platform before any endpoint: lenient readers, Zalo's way of answering errors. */
export async function createPlatformServer({ files }: { files: FileStore }): Promise<FastifyInstance> {
  const platform = fastify({ bodyLimit: 2 * MAX_UPLOAD_BYTES, forceCloseConnections: true, keepAliveTimeout: 65_000 })
  await platform.register(formbody)
  await platform.register(multipart, { limits: { fileSize: MAX_UPLOAD_BYTES, files: 4 } })
  // a body that is not JSON reaches the endpoint as undefined, which answers -201 with HTTP 200
  platform.removeContentTypeParser('application/json')
  platform.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, parseJson(String(body))))
  platform.addContentTypeParser('*', { parseAs: 'string' }, (_request, _body, done) => done(null, undefined))
  platform.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 404, message: 'Empty api' }))
  platform.setErrorHandler((error: FastifyError, _request, reply) => {
    const code = error.statusCode ?? 500
    // an unreadable request is the caller's parameter; anything else is a mistake of this simulator and says so
    return code < 500
      ? reply.code(200).send({ error: -201, message: error.message })
      : reply.code(500).send({ error: 500, message: error.message })
  })
  // what people and accounts sent, as the platform's file host serves it
  platform.get<{ Params: { id: string } }>('/files/:id', async ({ params }, reply) => {
    const found = await files.read(params.id)
    return found ? reply.type(found.file.type).send(found.bytes) : reply.callNotFound()
  })
  return platform
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
