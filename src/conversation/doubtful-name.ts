import { z } from 'zod'
import namesFile from '../../flows/names.json' with { type: 'json' }
import { fold } from '../lib/fold.ts'

/**
 * `flows/names.json`, words parted by spaces. `no_beginning`: with these no name of a person begins, though they may stand within one ("Lò Văn
 * Nhầm"). `bare`: everyday words without their marks; a text of nothing else is a sentence rather than a name.
 */
const { no_beginning, bare } = z.object({ no_beginning: z.string(), bare: z.string() }).strict().parse(namesFile)
const noBeginning = new Set(no_beginning.split(' '))
const everyday = new Set(bare.split(' '))

/** Whether what was given as a name reads rather like something else: asked back once, for true names are of every kind. */
export function isDoubtfulName(name: string): boolean {
  const words = name.toLocaleLowerCase('vi').split(' ')
  const [first = ''] = words
  const isBare = words.every((word) => fold(word) === word)
  return isBare ? words.every((word) => everyday.has(word)) : noBeginning.has(first)
}
