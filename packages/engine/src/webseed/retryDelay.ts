import type { Seconds } from '../util/flavored.ts'

/** No server is left alone for longer because it failed. */
const LONGEST: Seconds = 1800

/**
 * Until a web seed is asked again after it failed `failures` times in a row: `urlseed_wait_retry`, twice as long each time
 * (BEP 17: less often if it goes on failing), or as long as the server said.
 */
export function retryDelay(failures: number, waitRetry: Seconds, retryAfter: Seconds | null): Seconds {
  const own = Math.min(waitRetry * 2 ** Math.min(failures - 1, 10), Math.max(LONGEST, waitRetry))
  return retryAfter === null ? own : Math.max(retryAfter, 1)
}
