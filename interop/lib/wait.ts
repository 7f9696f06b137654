import { setTimeout as delay } from 'node:timers/promises'

export { delay }

/** Rejects with `what` when `promise` takes longer than `milliseconds`. */
export async function within<T>(milliseconds: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${milliseconds / 1000} s`)), milliseconds)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Asks `condition` every `everyMs` until it holds; rejects with `what` after `milliseconds`. */
export async function waitUntil(
  milliseconds: number,
  what: string,
  condition: () => boolean | Promise<boolean>,
  everyMs = 50,
): Promise<void> {
  const end = performance.now() + milliseconds
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${milliseconds / 1000} s`)
    await delay(everyMs)
  }
}
