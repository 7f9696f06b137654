import fc from 'fast-check'
import { test } from 'vitest'
import { PickerFlags } from '../../../src/picker/pickerFlags.ts'
import { NUM_PEERS, NUM_PIECES, PickerModel, type Step } from './pickerModel.ts'

const peer = fc.nat(NUM_PEERS - 1)
const piece = fc.nat(NUM_PIECES - 1)
const nth = fc.nat(99)

const flags = fc
  .record({
    order: fc.constantFrom(0, PickerFlags.rarestFirst, PickerFlags.rarestFirst, PickerFlags.sequential),
    reverse: fc.constantFrom(0, 0, PickerFlags.reverse),
    partials: fc.constantFrom(0, 0, PickerFlags.prioritizePartials),
    parole: fc.constantFrom(0, 0, 0, PickerFlags.onParole | PickerFlags.prioritizePartials),
    affinity: fc.constantFrom(0, 0, 0, PickerFlags.pieceExtentAffinity),
  })
  .map(({ order, reverse, partials, parole, affinity }) => order | reverse | partials | parole | affinity)

const pickStep = fc.record({
  type: fc.constant('pick' as const),
  peer,
  count: fc.integer({ min: 1, max: 12 }),
  flags,
  contiguous: fc.constantFrom(0, 0, 3, 6),
  strict: fc.boolean(),
  speed: fc.constantFrom(0, 0, 1, 2, 3),
  suggested: fc.nat(2 * NUM_PIECES),
})

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: pickStep },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom('deliver' as const, 'deliver' as const, 'abort' as const),
      peer,
      nth,
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('written' as const), nth }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('hash' as const), ok: fc.boolean(), nth }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('connect' as const),
      peer,
      has: fc.oneof(fc.nat(0x1ff), fc.constant(0x1ff)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom('have' as const, 'have' as const, 'loseHave' as const), peer, piece }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('disconnect' as const), peer }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('priority' as const), piece, priority: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('writeFailed' as const, 'unlock' as const), nth }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('lose' as const), piece }) },
)

const someConnected: Step[] = [
  { type: 'connect', peer: 0, has: 0x1ff },
  { type: 'connect', peer: 1, has: 0x0f3 },
  { type: 'connect', peer: 2, has: 0x13c },
]

test('whatever happens, the picker agrees with a naive account of it, and in the end all blocks are picked', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.constantFrom(false, false, false, true),
      fc.array(step, { maxLength: 60 }),
      (seed, empty, history) => {
        const model = new PickerModel(seed)
        for (const each of empty ? history : [...someConnected, ...history]) {
          model.apply(each)
          model.check()
        }
        model.complete()
      },
    ),
    { numRuns: 150 },
  )
})
