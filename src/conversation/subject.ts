import { capitalise } from '../content/texts.ts'
import type { Prompt } from '../engine/effect.ts'
import type { TextRef } from '../model/text.ts'
import { findPerson } from '../registry/helping.ts'
import type { LiveSession, PersonRow, Turn } from './turn.ts'

/** Who a session is about: the one who writes, or the person they answer for. Undefined when nobody is registered, or is gone. */
export async function subjectOf(turn: Turn, live: LiveSession): Promise<PersonRow | undefined> {
  if (live.subjectPersonId === null) return turn.person
  if (live.subject?.id !== live.subjectPersonId) {
    const found = await findPerson(turn.tx, turn.contact.communeId, live.subjectPersonId)
    if (!found) return undefined
    live.subject = found.person
  }
  return live.subject
}

export function setSubject(live: LiveSession, person: PersonRow): void {
  live.subjectPersonId = person.id
  live.subject = person
  live.changed = true
}

/** "bà Vàng Thị Mỷ": how a helper hears of the person they answer for. */
export function titleOf(turn: Turn, person: Pick<PersonRow, 'address' | 'name'>): string {
  const { language } = turn.contact
  return language === 'vi' ? `${turn.deps.content.texts.vi.format({ key: `address.${person.address}` }, {})} ${person.name}` : person.name
}

export const helps = (live: LiveSession): boolean => live.subjectPersonId !== null

/** A form begun for somebody and not confirmed yet. */
export const isFormForAnother = (live: LiveSession): boolean => helps(live) && live.state.form !== undefined && !live.state.form.confirmed

/** A text that speaks to this person, whoever reads it out: "bà", not the helper's own "anh". */
export function addressed(turn: Turn, person: Pick<PersonRow, 'address'>, text: TextRef): TextRef {
  const texts = turn.deps.content.texts[turn.contact.language]
  const goi = texts.format({ key: `address.${person.address}` }, {})
  const xung = texts.format({ key: `address.${person.address}.self` }, {})
  const words = { goi, xung, Goi: capitalise(goi), Xung: capitalise(xung) }
  const within = (ref: TextRef): TextRef => ({
    key: ref.key,
    params: {
      ...Object.fromEntries(
        Object.entries(ref.params ?? {}).map(([name, value]) => [name, typeof value === 'object' ? within(value) : value]),
      ),
      ...words,
    },
  })
  return within(text)
}

/** A question of a form filled in for somebody: it speaks to that person. */
export function addressedPrompt(turn: Turn, person: PersonRow, prompt: Prompt): Prompt {
  return {
    ...prompt,
    ...(prompt.kind === 'question' ? { text: addressed(turn, person, prompt.text) } : {}),
    options: prompt.options.map((option) => ({ ...option, text: addressed(turn, person, option.text) })),
  }
}
