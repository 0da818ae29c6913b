/** A mistake in what authors write: where it is, what is wrong, and what to do about it. */
export type Problem = { file: string; at?: string; wrong: string; remedy: string }

export function printProblem({ file, at, wrong, remedy }: Problem): string {
  return `${file}: ${at === undefined ? '' : `${at}: `}${wrong}; ${remedy}`
}
