import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'

// Named one by one: nothing else in this folder, and nothing outside it, can be asked for.
const files = [
  { path: '/', url: new URL('./index.html', import.meta.url), type: 'text/html; charset=utf-8' },
  { path: '/phone.css', url: new URL('./phone.css', import.meta.url), type: 'text/css; charset=utf-8' },
  { path: '/icon.svg', url: new URL('./icon.svg', import.meta.url), type: 'image/svg+xml' },
  { path: '/app.js', url: new URL('./app.js', import.meta.url), type: 'text/javascript; charset=utf-8' },
  { path: '/phone.js', url: new URL('./phone.js', import.meta.url), type: 'text/javascript; charset=utf-8' },
  { path: '/bubble.js', url: new URL('./bubble.js', import.meta.url), type: 'text/javascript; charset=utf-8' },
  { path: '/conversation.js', url: new URL('./conversation.js', import.meta.url), type: 'text/javascript; charset=utf-8' },
  { path: '/api.js', url: new URL('./api.js', import.meta.url), type: 'text/javascript; charset=utf-8' },
  { path: '/dom.js', url: new URL('./dom.js', import.meta.url), type: 'text/javascript; charset=utf-8' },
  { path: '/texts.js', url: new URL('./texts.js', import.meta.url), type: 'text/javascript; charset=utf-8' },
]

// The page asks nothing of any other host and runs nothing but its own files, whatever a message contains.
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "media-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Serves the phone page at `/`. It talks to the person API under `/phone` and, where they exist, to the bot's `/sample` routes. */
export async function phonePage(app: FastifyInstance): Promise<void> {
  for (const { path, url, type } of files) {
    const content = await readFile(url)
    app.get(path, async (_request, reply) => {
      reply.header('content-type', type)
      reply.header('content-security-policy', CONTENT_SECURITY_POLICY)
      reply.header('x-content-type-options', 'nosniff')
      reply.header('referrer-policy', 'no-referrer')
      // a new version of the page must not meet half of the old one
      reply.header('cache-control', 'no-cache')
      return content
    })
  }
}
