// Classes of PostgreSQL's SQLSTATE that say nothing about the statement: connection, transaction rollback (deadlock), resources, operator
// intervention. https://www.postgresql.org/docs/current/errcodes-appendix.html
const TRANSIENT_STATES = ['08', '40', '53', '57', '58']
// postgres.js and Node on a connection that is gone or never came about
const TRANSIENT_CODES = /^(CONNECTION_|CONNECT_TIMEOUT|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH)/

/** Whether a failure is the database's and not the statement's: the same work may be done again. */
export function isTransient(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
    if (TRANSIENT_CODES.test(code)) return true
    if (code.length === 5 && TRANSIENT_STATES.includes(code.slice(0, 2))) return true
  }
  return false
}
