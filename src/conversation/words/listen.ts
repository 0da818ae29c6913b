import { openFor } from '../presented.ts'
import { feed, startFlow } from '../run-session.ts'
import { activeSession, say, type Turn } from '../turn.ts'
import { chooseVoiceLanguage, hasClip, voiceLanguage } from '../voice.ts'

/**
 * NGHE: the recorded question again. Which language is asked once, the first time there is more than one; NGÔN NGỮ asks it anew. Where the
 * platform plays sounds itself, from then on each question comes with its own.
 */
export async function listen(turn: Turn): Promise<void> {
  const { deps, contact } = turn
  const languages = await deps.clips.languages()
  if (languages.length === 0) {
    say(turn, 'voice.none')
    return again(turn)
  }
  if (!contact.voiceLanguageEnc && languages.length > 1) return startFlow(turn, 'voice-language')
  const [only] = languages
  if (!contact.voiceLanguageEnc && only !== undefined && turn.channel.abilities.clips === 'attached')
    contact.voiceLanguageEnc = await chooseVoiceLanguage({ db: turn.tx, sealer: deps.sealer }, contact.id, only)
  const live = activeSession(turn)
  const prompt = live && (await openFor(turn, live))
  if (!prompt) return say(turn, 'voice.nothing_open')
  const language = await voiceLanguage(deps, contact)
  if (language === undefined || !(await hasClip(turn, prompt))) say(turn, 'voice.none_here')
  return again(turn)
}

async function again(turn: Turn): Promise<void> {
  if (activeSession(turn)) await feed(turn, { type: 'again' })
}
