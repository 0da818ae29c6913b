import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/**
 * Secrets from standard input: asked for one by one on a terminal, without echo; else lines of `NAME=value`. A single line without a name is the
 * value of the first name.
 */
export async function readSecrets<Name extends string>(names: readonly Name[]): Promise<Partial<Record<Name, string>>> {
  return process.stdin.isTTY ? askForSecrets(names) : parseSecrets(await readAll(), names)
}

export function parseSecrets<Name extends string>(text: string, names: readonly Name[]): Partial<Record<Name, string>> {
  const secrets: Partial<Record<Name, string>> = {}
  const lines = text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  for (const line of lines) {
    const name = names.find((known) => line.startsWith(`${known}=`))
    const value = name ? line.slice(name.length + 1).replace(/^(["'])(.*)\1$/, '$2') : line
    const [first] = names
    if (name && value !== '') secrets[name] = value
    else if (!name && lines.length === 1 && first) secrets[first] = value
  }
  return secrets
}

async function readAll(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

async function askForSecrets<Name extends string>(names: readonly Name[]): Promise<Partial<Record<Name, string>>> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  const secrets: Partial<Record<Name, string>> = {}
  try {
    for (const name of names) {
      process.stderr.write(`${name} (not shown): `)
      const value = (await terminal.question('')).trim()
      process.stderr.write('\n')
      if (value !== '') secrets[name] = value
    }
  } finally {
    terminal.close()
  }
  return secrets
}
