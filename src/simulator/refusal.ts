/** The platform says no: HTTP 200 with `{ error, message }`. */
export class Refusal extends Error {
  readonly code: number
  constructor(code: number, message?: string) {
    super(message ?? refusalText(code))
    this.name = 'Refusal'
    this.code = code
  }
}

export function refusalText(code: number): string {
  return TEXTS[code] ?? 'Unknown error'
}

/** A parameter of the wrong shape; the text names it. */
export function invalid(parameter: string): Refusal {
  return new Refusal(-201, `${parameter} is invalid!`)
}

/** A parameter above its limit; the text names it. */
export function tooMuch(parameter: string): Refusal {
  return new Refusal(-210, `Parameter exceeds allowable limit: ${parameter}`)
}

export const APP_RATE_TEXT = 'Your application reached limit call api'
export const OA_RATE_TEXT = 'Your OA reached limit call api'

// Texts of the vendor's error table for the Official Account API; two codes have two texts, the second is given where it is thrown.
const TEXTS: Record<number, string> = {
  [-32]: APP_RATE_TEXT,
  [-100]: 'attachment_id was expired',
  // codes of the business host (templates by phone); meanings from zalo.md 5, wording ours
  [-108]: 'Phone number is invalid',
  [-109]: 'Template id is invalid',
  [-112]: 'Template data is invalid',
  [-115]: 'Out of quota or out of money',
  [-118]: 'Zalo account not existed',
  [-124]: 'Access token invalid',
  [-1241]: 'appsecret_proof invalid',
  [-127]: 'Template test message only can be sent to admins',
  [-131]: 'Template is not approved',
  [-132]: 'Parameter invalid',
  [-135]: 'OA does not have permission to send messages',
  [-136]: 'Must link to a Zalo Cloud Account',
  [-139]: 'User refused to receive this type of message',
  [-144]: 'OA has exceeded its daily quota',
  [-200]: 'Send message failed',
  [-201]: 'Parameter is invalid!',
  [-204]: 'Offical Account is disable',
  [-205]: 'Offical Account is not exist',
  [-209]: 'Not supported this api',
  [-210]: 'Parameter exceeds allowable limit',
  [-211]: 'Out of quota',
  [-212]: 'App has not registed this api',
  [-213]: 'User has not followed OA',
  [-214]: 'Article is being processed',
  [-216]: 'Access token is invalid',
  [-217]: 'User has blocked invitation from OA',
  [-218]: 'Out of quota receive',
  [-219]: 'App is removed or disabled',
  [-220]: 'access_token is expired or removed',
  [-221]: 'The OA needs to be verified to use this feature',
  [-223]: 'Official Account has not authorized this API',
  [-224]: 'The OA needs to upgrade OA Tier Package to use this feature',
  [-227]: 'User is banned or has been inactive for more than 45 days',
  [-230]: 'User has not interacted with the OA in the past 7 days',
  [-232]: 'User has not interacted with the OA, or the last interaction has expired',
  [-233]: 'message type is invalid or not support',
  [-234]: 'This message cannot be sent at night (10:00PM - 6:00AM)',
  [-235]: 'This API does not support this type of OA',
  [-237]: 'The group is disabled',
  [-238]: 'asset_id is already used',
  [-240]: 'MessageV2 API has been shut down, please switch to MessageV3',
  [-242]: 'Invalid appsecret_proof provided in the API argument',
  [-244]: 'User has restricted this message type from your OA',
  [-248]: 'Violates our platform standards',
  [-249]: 'Template does not support send via UID',
  [-320]: 'Your app needs to connect with Zalo Cloud Account to use paid features',
  [-321]: 'Zalo Cloud Account associated with this app is out of money or unable to be charged',
  [-403]: 'OA is not in group',
  [-14002]: 'Invalid app id',
  [-14003]: 'Invalid redirect uri',
  [-14014]: 'Invalid refresh token',
  [-14020]: 'Refresh token has been used or expired',
}
