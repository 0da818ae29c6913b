/** A reason not to go on that the operator can remove. Doors print its message alone, without a stack; it never holds a secret. */
export class OperatorError extends Error {
  override name = 'OperatorError'
}
