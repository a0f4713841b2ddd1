let answer: boolean | null = null;

/** Whether this engine lets code make functions from text; a strict content security policy does not. Asked once. */
export function canGenerate(): boolean {
  if (answer === null) {
    try {
      answer = new Function("return 1")() === 1;
    } catch {
      answer = false;
    }
  }
  return answer;
}
