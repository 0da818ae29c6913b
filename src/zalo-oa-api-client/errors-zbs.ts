import type { ErrorEntry, ErrorTable } from './errors.ts'

/** Codes of `business.openapi.zalo.me` (ZBS template messages by phone, called ZNS before 2026). The same number may mean something else on the OA host. */
export const zbsErrors: ErrorTable = {
  [-32]: { action: 'wait_until', wait: 'next_minute', reason: 'rate_limit_account', meaning: 'too many requests this minute' },
  [-100]: { action: 'retry', reason: 'unknown_platform_error', meaning: 'unknown error of the platform' },
  ...rows([-101, -102, -103, -104], {
    action: 'pause_account',
    reason: 'app_set_up',
    meaning: 'the app id, its state or its secret is wrong',
  }),
  [-105]: { action: 'pause_account', reason: 'app_not_linked', meaning: 'the app is not linked to the account' },
  [-106]: { action: 'drop', reason: 'invalid_request', meaning: 'the method is not supported' },
  [-107]: { action: 'drop', reason: 'invalid_message_id', meaning: 'the message id is invalid' },
  [-108]: { action: 'unreachable', reason: 'phone_invalid', meaning: 'the phone number is invalid' },
  ...rows([-109, -1091], { action: 'drop', reason: 'template_invalid', meaning: 'the template id is invalid' }),
  [-110]: { action: 'unreachable', reason: 'zalo_too_old', meaning: "the person's Zalo is too old" },
  ...rows([-111, -112, -1121, -1122, -1123, -1124], { action: 'drop', reason: 'template_data', meaning: 'the template data is invalid' }),
  ...rows([-113, -1131, -1132], { action: 'drop', reason: 'template_button', meaning: 'a button of the template is invalid' }),
  ...rows([-114, -118, -119], {
    action: 'unreachable',
    reason: 'recipient_cannot_receive',
    meaning: 'the person cannot receive or has no Zalo',
  }),
  [-115]: { action: 'wait_until', wait: 'next_day', reason: 'quota_or_balance', meaning: 'the quota or the balance is used up' },
  [-116]: { action: 'drop', reason: 'template_text', meaning: 'the text is invalid' },
  [-117]: { action: 'pause_account', reason: 'template_forbidden', meaning: 'no right to use this template' },
  ...rows([-120, -1201, -1202], { action: 'pause_account', reason: 'account_rights', meaning: 'the account lacks a right' }),
  ...rows([-121, -122], { action: 'drop', reason: 'invalid_body', meaning: 'the body is empty or wrongly formed' }),
  ...rows([-123, -128, -129, -142, -143], { action: 'drop', reason: 'encryption', meaning: 'the encrypted phone or key is invalid' }),
  [-124]: { action: 'refresh', reason: 'token_refused', meaning: 'the access token is invalid' },
  ...rows([216, -216, -220, 401, -401], { action: 'refresh', reason: 'token_refused', meaning: 'the access token is invalid' }),
  [-1241]: { action: 'pause_account', reason: 'appsecret_proof_refused', meaning: 'the appsecret_proof is wrong' },
  [-125]: { action: 'pause_account', reason: 'account_missing', meaning: 'the account id is invalid' },
  [-126]: { action: 'pause_paid', reason: 'development_wallet', meaning: 'the development wallet is empty' },
  [-127]: { action: 'drop', reason: 'development_admins_only', meaning: 'in development mode only administrators receive' },
  [-130]: { action: 'drop', reason: 'too_large', meaning: 'a value is too long for the template' },
  [-131]: { action: 'drop', reason: 'template_not_approved', meaning: 'the template is not approved' },
  [-132]: { action: 'drop', reason: 'invalid_parameter', meaning: 'a parameter is invalid' },
  [-133]: { action: 'wait_until', wait: 'six_in_the_morning', reason: 'night', meaning: 'this template does not go out at night' },
  [-135]: { action: 'pause_account', reason: 'not_entitled', meaning: 'the account needs verification and a paid plan' },
  [-1351]: { action: 'pause_account', reason: 'account_blocked', meaning: 'the account is blocked from template messages' },
  ...rows([-136, -137, -138, -1381], {
    action: 'pause_paid',
    reason: 'cloud_account',
    meaning: 'the Zalo Cloud Account is missing or cannot be charged',
  }),
  ...rows([-139, -140, -141], { action: 'muted', reason: 'muted_by_recipient', meaning: 'the person refused this kind' }),
  [-144]: { action: 'wait_until', wait: 'next_day', reason: 'daily_limit', meaning: "the account's daily limit is reached" },
  // Limits per month and per person are asked about once a day: the sources disagree on when each starts anew
  ...rows([-1441, -147, -1471, -1472], {
    action: 'wait_until',
    wait: 'next_day',
    reason: 'limit_reached',
    meaning: 'a limit of the template or the person',
  }),
  [-145]: { action: 'pause_account', reason: 'content_not_allowed', meaning: 'the account may not send this kind of content' },
  [-146]: { action: 'pause_account', reason: 'template_disabled', meaning: 'the template is disabled for its quality' },
  ...rows([-148, -149, -150], { action: 'drop', reason: 'journey_token', meaning: 'the journey token is invalid' }),
  ...rows([-151, -152, -153], { action: 'drop', reason: 'encryption', meaning: 'end-to-end encryption data is invalid' }),
  ...rows([-158, -159, -160, -161, -162], { action: 'drop', reason: 'file_or_mode', meaning: 'a file or the sending mode is invalid' }),
  [-248]: { action: 'drop', reason: 'content_policy', meaning: 'the content violates the platform standards' },
}

function rows(codes: number[], entry: ErrorEntry): Record<number, ErrorEntry> {
  return Object.fromEntries(codes.map((code) => [code, entry]))
}
