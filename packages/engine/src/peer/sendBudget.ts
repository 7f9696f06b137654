import type { Settings } from '../settings/settings.ts'

export type SendBudgetSettings = Pick<
  Settings,
  'sendBufferWatermark' | 'sendBufferLowWatermark' | 'sendBufferWatermarkFactor'
>

/**
 * How many bytes of blocks to hold ready for one peer: so many that it never waits for the disk, and not so many that a
 * slow peer keeps memory busy.
 *
 * The manual's rule takes `send_buffer_watermark_factor` per cent of a second's worth at the present rate, between
 * `send_buffer_low_watermark` and `send_buffer_watermark`. The rate is known once a second, so that rule alone would
 * feed every new peer one block at a time for a second. Until then, and whenever a peer gets quicker, the budget doubles
 * each time everything ready has left while more was asked for; it halves for each second without that.
 */
export class SendBudget {
  private grown = 0
  private isExhausted = false
  private wasDrained = false

  /** @param ready bytes read or being read that have not left. */
  bytes(ready: number, uploadRate: number, settings: Readonly<SendBudgetSettings>): number {
    const { sendBufferWatermark, sendBufferLowWatermark, sendBufferWatermarkFactor } = settings
    const byRate = (uploadRate * sendBufferWatermarkFactor) / 100
    const held = Math.max(sendBufferLowWatermark, byRate, this.grown)
    if (!this.isExhausted || ready > 0) return Math.min(sendBufferWatermark, held)
    this.isExhausted = false
    this.wasDrained = true
    this.grown = Math.min(sendBufferWatermark, held * 2)
    return this.grown
  }

  /** The budget was too small for all that is asked for. */
  exhausted(): void {
    this.isExhausted = true
  }

  /** Once a second. */
  tick(): void {
    if (!this.wasDrained) this.grown /= 2
    this.wasDrained = false
  }
}
