/** Runs jobs one after the other in the order given; a job that fails does not stop the next. */
export class TaskQueue {
  private last: Promise<unknown> = Promise.resolve()

  /** Resolves or rejects with the job's own outcome. */
  run<Result>(job: () => Result | Promise<Result>): Promise<Result> {
    const outcome = this.last.then(job)
    this.last = outcome.catch(() => {})
    return outcome
  }
}
