import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

export type Outcome = { status: number } | { failure: string }

/** Posts with kept-alive connections. Never throws: a refused or slow receiver is an outcome. */
export interface WebhookClient {
  post(url: URL, headers: Record<string, string>, body: string): Promise<Outcome>
  close(): void
}

export function createWebhookClient(options: { timeoutMs: number; sockets: number }): WebhookClient {
  const agentOptions = { keepAlive: true, maxSockets: options.sockets, maxFreeSockets: options.sockets, scheduling: 'fifo' as const }
  const httpAgent = new HttpAgent(agentOptions)
  const httpsAgent = new HttpsAgent(agentOptions)

  function post(url: URL, headers: Record<string, string>, body: string, again = false): Promise<Outcome> {
    return new Promise((resolve) => {
      const secure = url.protocol === 'https:'
      const request = (secure ? httpsRequest : httpRequest)(
        {
          host: url.hostname.replace(/^\[|\]$/g, ''),
          port: url.port,
          path: url.pathname + url.search,
          method: 'POST',
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
          agent: secure ? httpsAgent : httpAgent,
        },
        (response) => {
          response.resume()
          response.on('end', () => settle({ status: response.statusCode ?? 0 }))
          response.on('error', (error) => settle({ failure: error.message }))
        },
      )
      const timer = setTimeout(() => {
        settle({ failure: `no answer within ${options.timeoutMs} ms` })
        request.destroy()
      }, options.timeoutMs)
      function settle(outcome: Outcome | Promise<Outcome>) {
        clearTimeout(timer)
        resolve(outcome)
      }
      request.on('error', (error) => {
        // the receiver closed an idle connection just as we used it; only a fresh one tells whether it is there
        if (request.reusedSocket && !again) settle(post(url, headers, body, true))
        else settle({ failure: error.message })
      })
      request.end(body)
    })
  }

  return {
    post: (url, headers, body) => post(url, headers, body),
    close() {
      httpAgent.destroy()
      httpsAgent.destroy()
    },
  }
}
