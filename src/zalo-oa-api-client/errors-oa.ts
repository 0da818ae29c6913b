import type { ErrorTable } from './errors.ts'

/**
 * Codes of `openapi.zalo.me`, from the vendor's table ("Bảng mã lỗi Official Account API") with what senders in production learned.
 * Contradicting tables of resellers are not followed (-201 is not a token error, -216 is not "the user blocked the account").
 */
export const oaErrors: ErrorTable = {
  // The vendor has two texts: "Your application reached…" (4,000 requests a minute for the app) and "Your OA reached…" (the package's limit)
  [-32]: {
    action: 'wait_until',
    wait: 'next_minute',
    reason: 'rate_limit_account',
    meaning: 'too many requests this minute',
    texts: [{ contains: 'application', reason: 'rate_limit_app' }],
  },
  [-100]: { action: 'reupload', reason: 'attachment_expired', meaning: 'the attachment has expired' },
  [-105]: { action: 'pause_account', reason: 'app_not_linked', meaning: 'the app is not linked to the account' },
  112: { action: 'pause_account', reason: 'app_not_linked', meaning: 'the app is not linked to the account' },
  // Seen after the message had arrived: a repeat is a second copy
  [-200]: { action: 'ambiguous', reason: 'send_failed', meaning: 'sending failed without a reason' },
  [-201]: { action: 'drop', reason: 'invalid_parameter', meaning: 'a parameter is invalid' },
  [-204]: { action: 'pause_account', reason: 'account_disabled', meaning: 'the account is disabled' },
  [-205]: { action: 'pause_account', reason: 'account_missing', meaning: 'the account does not exist' },
  [-209]: { action: 'pause_account', reason: 'app_not_active', meaning: 'the app is not active' },
  [-210]: { action: 'split', reason: 'too_large', meaning: 'a parameter exceeds its limit' },
  [-211]: { action: 'wait_until', wait: 'next_day', reason: 'quota_used_up', meaning: 'the quota of this function is used up' },
  [-212]: { action: 'pause_account', reason: 'api_not_registered', meaning: 'the app has not registered this API' },
  [-213]: { action: 'unreachable', reason: 'not_a_follower', meaning: 'the person does not follow the account' },
  [-214]: { action: 'retry', reason: 'article_processing', meaning: 'the article is still being processed' },
  [-216]: { action: 'refresh', reason: 'token_refused', meaning: 'the access token is invalid' },
  216: { action: 'refresh', reason: 'token_refused', meaning: 'the access token is invalid' },
  [-217]: { action: 'drop', reason: 'invitations_blocked', meaning: 'the person blocks invitations' },
  [-218]: { action: 'wait_until', wait: 'next_day', reason: 'recipient_quota', meaning: 'the person has received as much as allowed' },
  [-219]: { action: 'pause_account', reason: 'app_removed', meaning: 'the app is removed or disabled' },
  [-220]: { action: 'refresh', reason: 'token_refused', meaning: 'the access token is expired or removed' },
  [-221]: { action: 'pause_account', reason: 'account_not_verified', meaning: 'the account must be verified' },
  // Two texts: "…has not authorized this API" and "…reach the limit quota create article"
  [-223]: {
    action: 'pause_account',
    reason: 'not_authorised',
    meaning: 'the account has not authorised this API',
    texts: [
      { contains: 'quota', action: 'wait_until', wait: 'next_day', reason: 'article_quota', meaning: 'the article quota is used up' },
    ],
  },
  [-224]: { action: 'pause_account', reason: 'package_too_low', meaning: 'the account needs a higher package' },
  [-227]: { action: 'unreachable', reason: 'recipient_inactive', meaning: 'the person is banned or was away for more than 45 days' },
  [-230]: { action: 'outside_window', reason: 'window_closed', meaning: 'no interaction within the last 7 days' },
  [-232]: { action: 'outside_window', reason: 'no_interaction', meaning: 'no interaction, or the last one has expired' },
  [-233]: { action: 'change_shape', reason: 'kind_not_supported', meaning: 'this kind of message is not supported' },
  [-234]: { action: 'wait_until', wait: 'six_in_the_morning', reason: 'night', meaning: 'not between 22:00 and 06:00' },
  [-235]: { action: 'switch_endpoint', reason: 'wrong_account_type', meaning: 'this API does not support this type of account' },
  [-237]: { action: 'drop', reason: 'group_disabled', meaning: 'the group is disabled' },
  [-238]: { action: 'drop', reason: 'group_asset_used', meaning: 'the group package is used or disabled' },
  [-240]: { action: 'switch_endpoint', reason: 'v2_closed', meaning: 'the v2.0 message API is closed for this account' },
  [-241]: { action: 'drop', reason: 'group_asset_used', meaning: 'the group package is already used' },
  [-242]: { action: 'pause_account', reason: 'appsecret_proof_refused', meaning: 'the appsecret_proof is wrong' },
  [-244]: { action: 'muted', reason: 'muted_by_recipient', meaning: 'the person has restricted this kind of message' },
  [-248]: { action: 'drop', reason: 'content_policy', meaning: 'the content violates the platform standards' },
  [-249]: { action: 'drop', reason: 'template_not_by_uid', meaning: 'this template goes by phone only' },
  [-320]: { action: 'pause_paid', reason: 'no_cloud_account', meaning: 'no Zalo Cloud Account for paid functions' },
  [-321]: { action: 'pause_paid', reason: 'no_money', meaning: 'the Zalo Cloud Account cannot be charged' },
  [-401]: { action: 'refresh', reason: 'token_refused', meaning: 'not authorised' },
  401: { action: 'refresh', reason: 'token_refused', meaning: 'not authorised' },
  [-403]: { action: 'drop', reason: 'not_in_group', meaning: 'the account is not in the group' },
  [-1340]: { action: 'drop', reason: 'form_missing', meaning: 'the form does not exist' },
  [-1341]: { action: 'drop', reason: 'form_forbidden', meaning: 'the account has no access to the form' },
}
