import { MAX_RSA_BITS, MAX_RSA_EXPONENT_BITS, MIN_RSA_BITS } from '../../base/limits.ts';

function bitLength(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (bytes.length - first - 1) * 8 + (32 - Math.clz32(bytes[first] as number));
}

function remainder(bytes: Uint8Array, divisor: number): number {
  let rest = 0;
  for (const byte of bytes) rest = (rest * 256 + byte) % divisor;
  return rest;
}

/** Returns the powers of 65537 modulo a prime. */
function powersModulo(prime: number): ReadonlySet<number> {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * 65537) % prime) powers.add(power);
  return powers;
}

/** Primes for the test of CVE-2017-15361. Modulo each, an affected modulus is a power of 65537. Few others are. */
const rocaPrimes = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/** Whether a modulus looks as if a chip with CVE-2017-15361 (ROCA) had made it. The private keys of such chips can be
 * computed. By chance, about one in a hundred million good moduli looks the same. */
function hasRocaMark(modulus: Uint8Array): boolean {
  return rocaPrimes.every((prime) => powersModulo(prime).has(remainder(modulus, prime)));
}

/** Returns why an RSA public key must not be trusted; `undefined` if it may be (RFC 7518 section 3.3). Even and very
 * small exponents are not valid. Modulus and exponent are big-endian numbers. */
export function rsaWeakness(modulus: Uint8Array, exponent: Uint8Array): string | undefined {
  const bits = bitLength(modulus);
  if (bits < MIN_RSA_BITS) return `RSA of ${bits} bits is too short; the minimum is ${MIN_RSA_BITS}`;
  if (bits > MAX_RSA_BITS) return `RSA of ${bits} bits is too long; the maximum is ${MAX_RSA_BITS}`;
  if (bitLength(exponent) > MAX_RSA_EXPONENT_BITS) return 'the RSA exponent is too long';
  if (bitLength(exponent) < 2 || (exponent[exponent.length - 1] as number) % 2 === 0)
    return 'the RSA exponent is not an odd number over 1';
  return hasRocaMark(modulus) ? 'the RSA key was made by a chip with CVE-2017-15361 (ROCA)' : undefined;
}
