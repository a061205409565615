import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { addressOf, isLocal, isLoopback, networkOf } from './address.ts';

function from(remoteAddress: string, headers: Record<string, string> = {}): IncomingMessage {
  return { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

test.each([
  [0, undefined, '10.0.0.1'],
  [0, '1.1.1.1', '10.0.0.1'],
  [1, '1.1.1.1', '1.1.1.1'],
  [1, 'made up, 9.9.9.9, 1.1.1.1', '1.1.1.1'],
  [2, '9.9.9.9, 1.1.1.1, 10.0.0.2', '1.1.1.1'],
  [2, '1.1.1.1', '10.0.0.1'],
  [1, undefined, '10.0.0.1'],
  [1, 'unknown', '10.0.0.1'],
  [1, '1.1.1.1:4321', '1.1.1.1'],
  [1, '[2001:db8::1]:4321', '2001:db8::1'],
  [1, '::ffff:1.1.1.1', '1.1.1.1'],
])('behind %i proxies that say %j the client is %s', (trustedProxies, forwarded, address) => {
  const request = from('::ffff:10.0.0.1', forwarded === undefined ? {} : { 'x-forwarded-for': forwarded });
  expect(addressOf(request, { trustedProxies })).toBe(address);
});

test('whoever has an IPv6 address has all that begin with its first half', () => {
  expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
  expect(networkOf('2001:db8::1')).toBe(networkOf('2001:db8:0:0:ffff::2'));
  expect(networkOf('2001:db8:0:1::1')).not.toBe(networkOf('2001:db8::1'));
  expect(networkOf('::1')).toBe('0:0:0:0::/64');
  expect(networkOf('10.0.0.1')).toBe('10.0.0.1');
});

test('what passed through a proxy on this machine does not come from this machine', () => {
  expect(isLocal(from('127.0.0.1'))).toBe(true);
  expect(isLocal(from('::ffff:127.0.0.1'))).toBe(true);
  expect(isLocal(from('::1'))).toBe(true);
  expect(isLocal(from('10.0.0.1'))).toBe(false);
  for (const name of ['x-forwarded-for', 'forwarded', 'via']) expect(isLocal(from('127.0.0.1', { [name]: '' }))).toBe(false);
});

test('nothing but loopback is loopback', () => {
  for (const host of ['127.0.0.1', 'localhost', '::1', '[::1]', 'LOCALHOST']) expect(isLoopback(host)).toBe(true);
  for (const host of ['0.0.0.0', '::', '192.168.0.2', 'example.org', 'localhost.example.org']) expect(isLoopback(host)).toBe(false);
});
