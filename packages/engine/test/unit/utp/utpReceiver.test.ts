import { describe, expect, test } from 'vitest'
import { RECEIVE_CAPACITY_BYTES, UtpReceiver } from '../../../src/utp/utpReceiver.ts'

function receiving() {
  const got: number[] = []
  return { got, receiver: new UtpReceiver({ deliver: (bytes) => void got.push(...bytes) }, 0xffff) }
}

describe('data behind a FIN', () => {
  for (const seq of [2, 3, 100]) {
    test(`is not acknowledged, nor kept (packet ${seq}, where 2 is the FIN)`, () => {
      const { receiver, got } = receiving()
      expect(receiver.fin(2)).toBe('taken')
      expect(receiver.data(seq, Uint8Array.of(9))).toBe('refused')
      expect(receiver.held.span).toBe(0)
      expect(receiver.window).toBe(RECEIVE_CAPACITY_BYTES)
      expect([0xffff, 0, 1].map((before) => receiver.data(before, Uint8Array.of(before & 0xff)))).toEqual([
        'taken',
        'taken',
        'taken',
      ])
      expect([got, receiver.isFinished, receiver.ack]).toEqual([[255, 0, 1], true, 2])
      expect(receiver.data(seq, Uint8Array.of(9))).toBe('known')
      expect(got.length).toBe(3)
    })
  }

  test('that came before the FIN did, and is behind it, is handed to nobody', () => {
    const { receiver, got } = receiving()
    receiver.data(2, Uint8Array.of(9))
    receiver.fin(1)
    receiver.data(0xffff, Uint8Array.of(7))
    receiver.data(0, Uint8Array.of(8))
    expect([got, receiver.isFinished, receiver.held.span]).toEqual([[7, 8], true, 0])
    expect(receiver.window).toBe(RECEIVE_CAPACITY_BYTES)
  })
})
