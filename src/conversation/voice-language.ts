import type { Listed } from './listed.ts'
import type { Turn } from './turn.ts'

/** Languages with recordings; see voice.ts. */
export async function listedLanguages(_turn: Turn): Promise<Listed[]> {
  return []
}
