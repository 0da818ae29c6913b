import { createProgram } from './program.ts'
import { explainFailure } from './run-command.ts'

try {
  await createProgram().parseAsync()
} catch (error) {
  const { exitCode, line } = explainFailure(error)
  if (line) console.error(line)
  process.exitCode = exitCode
}
