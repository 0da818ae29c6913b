import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'

type Progress = { isCreated: boolean; isWritten: boolean }

const ofThisCall = new AsyncLocalStorage<Progress>()
const ofRequest = new WeakMap<object, Progress>()
let isListening = false

/** A fetch, and how far its request came. */
export type TrackedFetch = {
  response: Promise<Response>
  /** True when the request certainly never reached the wire; false also where this runtime does not tell. */
  isUnwritten(): boolean
}

/**
 * Starts a fetch whose failure can be told apart: before its first byte was written nothing can have been delivered, even when the error is
 * a time-out or a reset. Node's fetch publishes both steps for tracing tools (nodejs.org/api/diagnostics_channel.html, "undici").
 */
export function trackedFetch(url: URL, init: RequestInit): TrackedFetch {
  listen()
  const progress: Progress = { isCreated: false, isWritten: false }
  return {
    response: ofThisCall.run(progress, () => fetch(url, init)),
    isUnwritten: () => progress.isCreated && !progress.isWritten,
  }
}

function listen(): void {
  if (isListening) return
  isListening = true
  subscribe('undici:request:create', (message) => {
    const progress = ofThisCall.getStore()
    const request = requestIn(message)
    if (!progress || !request) return
    progress.isCreated = true
    ofRequest.set(request, progress)
  })
  // Published before the socket is written to
  subscribe('undici:client:sendHeaders', (message) => {
    const request = requestIn(message)
    const progress = request && ofRequest.get(request)
    if (progress) progress.isWritten = true
  })
}

function requestIn(message: unknown): object | undefined {
  if (typeof message !== 'object' || message === null || !('request' in message)) return undefined
  return typeof message.request === 'object' && message.request !== null ? message.request : undefined
}
