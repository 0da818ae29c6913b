export { type Account, endpointFor } from './account.ts'
export { appSecretProof } from './appsecret-proof.ts'
export type { ArticleSummary } from './articles.ts'
export { checkMessage, InvalidMessageError, messageLimits } from './check-message.ts'
export { createZaloClient, type ZaloClient, type ZaloClientOptions } from './client.ts'
export type { ConversationMessage, Page } from './conversations.ts'
export { type ErrorAction, errorActions } from './error-action.ts'
export { classify, type ErrorEntry, type ErrorHost, type ErrorTable, errors } from './errors.ts'
export {
  articleMessage,
  type Button,
  buttonsMessage,
  type DefaultAction,
  fileMessage,
  gifMessage,
  imageMessage,
  type ListElement,
  listMessage,
  type OaMessage,
  requestUserInfoMessage,
  textMessage,
  withQuote,
} from './message.ts'
export { createOAuth, type GrantedTokens, type OAuth, type OAuthOptions } from './oauth.ts'
export { parseWebhook } from './parse-webhook.ts'
export { challengeOf, createVerifier } from './pkce.ts'
export type { AccountQuota, UserQuota } from './quota.ts'
export type { RateLimit } from './rate-limit.ts'
export type { BroadcastTarget, Endpoint, ReactionIcon, SendQuota, SendResult } from './send.ts'
export { splitText } from './split-text.ts'
export { createTokenSource, type TokenSource, type TokenSourceOptions } from './token-source.ts'
export { createMemoryTokenStore, pairFromGrant, pairFromRefreshToken, type TokenPair, type TokenStore } from './token-store.ts'
export {
  createMemoryUploadCache,
  InvalidUploadError,
  type Upload,
  type UploadCache,
  type UploadKind,
  uploadRules,
} from './uploads.ts'
export type { UserDetail, UserPage, UserQuery } from './users.ts'
export type { WebhookAttachment } from './webhook-attachment.ts'
export type { Direction, EventFacts, MessageEvent, ParsedWebhook, SharedInfo, WebhookEvent } from './webhook-event.ts'
export { signWebhook, verifySignature, type WebhookKeys } from './webhook-signature.ts'
export { isGrantDead, ZaloError } from './zalo-error.ts'
export type { TemplateMessage, TemplateResult } from './zbs.ts'
