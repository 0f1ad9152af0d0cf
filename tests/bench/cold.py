"""Cold starts: from the start of the process to its first answer, files in the page cache."""
import statistics

from process import Process


def cold(argv, threads, log, count, mapped=None):
    """Medians in seconds; whole is what a user waits for, the rest is inside the process.
    And the most memory that was resident in the last one, behind its first inference."""
    whole, parts = [], {"import_s": [], "load_s": [], "first_s": []}
    for i in range(count + 1):
        process = Process(argv, threads, log)
        memory = process.memory(mapped)
        process.close()
        if i:  # the first brings the files into the page cache
            whole.append(process.seconds)
            for key, values in parts.items():
                values.append(process.ready[key])
    figures = {key: statistics.median(values) for key, values in parts.items()}
    return {"whole_s": statistics.median(whole), **figures, "memory": memory}
