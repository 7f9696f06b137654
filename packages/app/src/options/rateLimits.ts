import type { Settings } from 'libtorrent-ts'

/** How fast to be; options as commander gives them, bytes a second. */
export interface RateLimitOptions {
  readonly limitUp?: number
  readonly limitDown?: number
}

export function rateLimitSettings({ limitUp = 0, limitDown = 0 }: RateLimitOptions): Partial<Settings> {
  return { uploadRateLimit: limitUp, downloadRateLimit: limitDown }
}
