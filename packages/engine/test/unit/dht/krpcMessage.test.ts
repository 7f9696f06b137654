import { describe, expect, test } from 'vitest'
import { decodeKrpc, type KrpcQuery } from '../../../src/dht/krpcMessage.ts'
import { fromLatin1, latin1 } from '../../../src/util/bytes.ts'

const decode = (text: string) => decodeKrpc(fromLatin1(text))

describe('BEP 5, example packets', () => {
  test('an error', () => {
    expect(decode('d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee')).toMatchObject({
      type: 'error',
      code: 201,
      message: 'A Generic Error Ocurred',
    })
  })

  test.each([
    ['ping', 'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe'],
    ['find_node', 'd1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe'],
    ['get_peers', 'd1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe'],
    [
      'announce_peer',
      'd1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e' +
        '5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe',
    ],
  ])('a question, %s', (method, packet) => {
    const query = decode(packet) as KrpcQuery
    expect(query).toMatchObject({ type: 'query', method, readOnly: false })
    expect(latin1(query.id!)).toBe('abcdefghij0123456789')
    expect(latin1(query.transaction)).toBe('aa')
  })

  test('an answer with peers', () => {
    const reply = decode('d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re')
    if (reply?.type !== 'reply') throw new Error('no reply')
    expect(latin1(reply.values!.getString('token')!)).toBe('aoeusnth')
    expect([...reply.values!.getList('values')!].map((v) => v.asText())).toEqual(['axje.u', 'idhtnm'])
  })
})

test('BEP 43: a question from a read-only node is marked', () => {
  expect(decode('d1:ad2:id20:abcdefghij0123456789e1:q4:ping2:roi1e1:t2:aa1:y1:qe')).toMatchObject({ readOnly: true })
})

test('BEP 42: an answer tells where it sees us', () => {
  const reply = decode('d2:ip6:\x01\x02\x03\x04\x1a\xe11:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re')
  expect(reply).toMatchObject({ externalContact: Uint8Array.of(1, 2, 3, 4, 0x1a, 0xe1) })
})

test.each([
  ['empty', ''],
  ['a list', `l${'1:a'.repeat(10)}e`],
  ['without a type', 'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aae'],
  ['of an unknown type', 'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:xe'],
  ['with a long type', 'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y2:qqe'],
  ['cut short', 'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:q'],
  ['with something after it', 'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qee'],
  ['with a transaction id of 100 bytes', `d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t100:${'t'.repeat(100)}1:y1:qe`],
])('a packet %s is no message', (_, packet) => {
  expect(decode(packet)).toBeNull()
})

test('an id of another size than 20 bytes is none', () => {
  expect(decode('d1:ad2:id19:abcdefghij012345678e1:q4:ping1:t2:aa1:y1:qe')).toMatchObject({ id: null })
  expect(decode('d1:ad2:idi5e4:xxxx4:yyyye1:q4:ping1:t2:aa1:y1:qe')).toMatchObject({ id: null })
})
