/** The error that ends the sealer. Its message says in plain words what to do. */
export class Refused extends Error {
  override readonly name = 'Refused';
}
