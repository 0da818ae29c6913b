import { canon, compareMarks, fromTelex, fromVni, isMarked, plain } from './letters.ts'
import type { Lexicon } from './lexicon.ts'
import type { Token } from './tokens.ts'
import type { Word, WordEntry, WordUser } from './words.ts'

/** A word that works in every chat, found as the whole message. `sure`: written with its diacritics or with no other reading. */
export type FoundWord = {
  word: Word
  arg?: string
  sure: boolean
  outcome: 'act' | 'ask' | 'answer_first'
  /** Also an everyday word of answers, however it is written. */
  collides?: boolean
}

type Form = { entry: WordEntry; words: string[] }

const CODE = /^(?=.*\d)[a-z0-9]{4,16}$/i
const CODE_OR_UPPER = /^[A-Z0-9]{4,16}$/

export function createWordFinder(table: Lexicon['words']) {
  const forms: Form[] = table.words
    .flatMap((entry) => entry.forms.map((form) => ({ entry, words: form.split(' ').map((word) => canon(word)) })))
    .sort((a, b) => b.words.length - a.words.length)
  const byFirst = new Map<string, Form[]>()
  for (const form of forms) {
    const key = plain(form.words[0] ?? '')
    byFirst.set(key, [...(byFirst.get(key) ?? []), form])
  }
  const commands = new Map(table.words.flatMap((entry) => entry.commands.map((command) => [command, entry] as const)))
  const collisions = new Map(table.collisions.map((one) => [one.text, one]))

  /** `/dung` or `/ma@bot ABCD12`. */
  function command(text: string, users: readonly WordUser[]): FoundWord | undefined {
    const match = /^\/([a-z_]+)(?:@\w+)?(?:\s+(.*))?$/isu.exec(text.trim())
    const entry = commands.get(match?.[1]?.toLowerCase() ?? '')
    if (entry === undefined || !allowed(entry, users)) return undefined
    return { word: entry.word, sure: true, outcome: 'act', ...(match?.[2] ? { arg: match[2].trim() } : {}) }
  }

  /** `tokens` without the polite frame, as typed or with Telex and VNI keys still in them. */
  function whole(tokens: readonly Token[], users: readonly WordUser[]): FoundWord | undefined {
    return asTyped(tokens, users) ?? asTyped(tokens.map(decoded), users)
  }

  function asTyped(tokens: readonly Token[], users: readonly WordUser[]): FoundWord | undefined {
    for (const form of byFirst.get(tokens[0]?.plain ?? '') ?? []) {
      if (!allowed(form.entry, users) || tokens.length < form.words.length) continue
      let marks = true
      const fits = form.words.every((word, i) => {
        const agreement = tokens[i]?.plain === plain(word) ? compareMarks(tokens[i]?.canon ?? '', word) : 'contrary'
        if (agreement !== 'same') marks = false
        return agreement === 'same' || agreement === 'missing' || agreement === 'soft'
      })
      if (!fits) continue
      const rest = tokens.slice(form.words.length)
      const arg = argument(form.entry, rest)
      if (arg === undefined) continue
      const bare = tokens.map((token) => token.plain).join(' ')
      const listed = collisions.get(bare)
      const collision = listed?.word === form.entry.word ? listed : undefined
      // written with its diacritics a word is only itself, unless the other reading is written alike ("xem")
      const isItself = marks && form.words.some(isMarked)
      const outcome = collision !== undefined && (collision.outcome === 'answer_first' || !isItself) ? collision.outcome : undefined
      if (outcome === 'never') continue
      const found = { word: form.entry.word, sure: marks, collides: outcome === 'answer_first', ...(arg === '' ? {} : { arg }) }
      return { ...found, outcome: outcome ?? (marks ? 'act' : 'answer_first') }
    }
    return undefined
  }

  return { command, whole }
}

function decoded(token: Token): Token {
  const word = fromTelex(token.canon) ?? fromVni(token.canon)
  return word === undefined ? token : { ...token, canon: word, plain: plain(word), marked: isMarked(word) }
}

/** The argument's text, "" for none, undefined when what follows is no argument of this word. */
function argument(entry: WordEntry, rest: readonly Token[]): string | undefined {
  if (rest.length === 0) return entry.argument_required ? undefined : ''
  const raw = rest.map((token) => token.raw).join(' ')
  switch (entry.argument) {
    case 'none':
      return undefined
    case 'number':
      return rest.length === 1 && rest[0]?.figure !== undefined ? String(rest[0].figure) : undefined
    case 'code': {
      const code = rest.map((token) => token.raw).join('')
      return CODE.test(code) || CODE_OR_UPPER.test(code) ? code : undefined
    }
    case 'village':
      return raw
    default:
      return entry.argument satisfies never
  }
}

function allowed(entry: WordEntry, users: readonly WordUser[]): boolean {
  return entry.users.some((user) => user === 'anyone' || user === 'invited' || users.includes(user))
}
