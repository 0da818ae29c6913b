import { join } from 'node:path'
import type { Phone } from './phone.ts'

// What every walk through the phone page does: write, tap, look, and keep a picture.

/** Writes one text after the other, each when the one before is answered; gives the last answer. */
export async function talk(phone: Phone, ...texts: string[]): Promise<string> {
  let last = ''
  for (const text of texts) last = (await phone.ask(text)).text
  return last
}

/** Taps buttons by their labels, one after the other; gives the last answer. */
export async function tap(phone: Phone, ...labels: string[]): Promise<string> {
  let last = ''
  for (const label of labels) last = (await phone.answerTo(() => phone.tap(label))).text
  return last
}

/** Ends the walk where what was said is not what should be. */
export function expect(said: string, part: string): void {
  if (!said.includes(part)) throw new Error(`expected "${part}" in:\n${said}`)
}

/** Keeps pictures of phones in a folder. */
export const picturesIn = (folder: string) => (phone: Phone, name: string) => phone.screenshot(join(folder, `${name}.png`))
