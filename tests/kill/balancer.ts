import { connect, createServer, type Socket } from 'node:net'

/** What stands before several web processes: hands each connection to the next one that takes it. */
export async function startBalancer(ports: readonly number[]): Promise<{ port: number; close(): void }> {
  let turn = 0
  const open = new Set<Socket>()
  const server = createServer((from) => {
    open.add(from)
    from.on('error', () => {})
    from.once('close', () => open.delete(from))
    const first = turn++
    const tryNext = (tried: number) => {
      const port = ports[(first + tried) % ports.length]
      if (tried === ports.length || port === undefined) return from.destroy()
      const to = connect(port, '127.0.0.1')
      to.once('connect', () => {
        to.removeAllListeners('error').on('error', () => from.destroy())
        to.once('close', () => from.destroy())
        from.once('close', () => to.destroy())
        from.pipe(to).pipe(from)
      })
      to.once('error', () => tryNext(tried + 1))
    }
    tryNext(0)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}
