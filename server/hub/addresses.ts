import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { Refusal } from '../refusal.ts';

/** Every address of a host. */
export type Resolve = (host: string) => Promise<LookupAddress[]>;

const PRIVATE = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE.addSubnet(network, bits, 'ipv4');
}
// Of IPv6 only 2000::/3 is public, and in it these lead elsewhere: Teredo, documentation, 6to4.
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
] as const) {
  PRIVATE.addSubnet(network, bits, 'ipv6');
}
const PUBLIC_V6 = new BlockList();
PUBLIC_V6.addSubnet('2000::', 3, 'ipv6');

/** Whether an address is on the public internet: no other machine of ours, no service of the cloud that runs this one. */
export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !PRIVATE.check(address, 'ipv4');
  return isIP(address) === 6 && PUBLIC_V6.check(address, 'ipv6') && !PRIVATE.check(address, 'ipv6');
}

/**
 * For `http.request` with `autoSelectFamily`, which wants every address: the connection goes to the very addresses that were judged, so that a name which changes its
 * mind between two questions gains nothing. `anywhere` is for hosts that whoever runs this machine has named.
 */
export function judgedLookup(resolve: Resolve, anywhere: boolean): LookupFunction {
  const judge = async (host: string): Promise<LookupAddress[]> => {
    const addresses = await resolve(host);
    if (addresses.length === 0) throw new Error(`${host}: expected an address, got none`);
    const refused = anywhere ? undefined : addresses.find(({ address }) => !isPublic(address));
    if (refused) throw privateAddress(host, refused.address);
    return addresses;
  };
  const answer = callbackify(judge);
  return (host, _, callback) => answer(host, callback);
}

export const resolveBySystem: Resolve = (host) => lookup(host, { all: true });

function privateAddress(host: string, address: string): Refusal {
  return new Refusal('forbidden', `model host ${host}`, 'a public address (or the host by its name in MODEL_HOSTS)', address);
}
