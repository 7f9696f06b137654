import type { Fields } from '../../interop/lib/fields.ts'

/**
 * What makes libtorrent 2.0 quickest between two processes on loopback: larger send buffers and disk queue. Its other
 * settings were tried (longer request queues, more hashing threads, socket buffers, fewer disk threads) and made it slower.
 */
export const LIBTORRENT_LOOPBACK_SETTINGS: Fields = {
  send_buffer_watermark: 8 << 20,
  send_buffer_watermark_factor: 150,
  send_buffer_low_watermark: 1 << 20,
  max_queued_disk_bytes: 64 << 20,
}
