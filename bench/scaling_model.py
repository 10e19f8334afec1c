"""A model, not a measurement: how a training step would scale to many processes.

Every bucket of gradients is summed in two exchanges (engine/dist/communicator_thread.cpp): each process sends k - 1
messages of bucket / k bytes and receives as many. An exchange takes the latency, an overhead per message, and the bytes
divided by the bandwidth. Sums that end while the backward pass still runs cost nothing; the rest is waited for, and so
is the last bucket. The time of a step on one device and the network are assumptions, to be given.
"""
import argparse


def efficiency(processes, options):
    """The time of a step without communication divided by that with it, for a fixed batch per process."""
    bucket = min(options.message * processes, options.gradient)
    buckets = options.gradient / bucket
    bytes_sent = bucket * (processes - 1) / processes
    exchange = (options.latency + (processes - 1) * options.overhead) * 1e-6 + bytes_sent / (options.bandwidth * 1e9)
    # The last bucket is complete when the backward pass ends.
    waited = 2 * exchange + max(0.0, 2 * (buckets - 1) * exchange - options.backward * options.step * 1e-3)
    return options.step * 1e-3 / (options.step * 1e-3 + waited)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    number = {"type": float, "metavar": "N"}
    parser.add_argument("--gradient", default=98.7e6, help="bytes of all gradients (um_resnet, 200 channels)", **number)
    parser.add_argument("--message", default=2.0**17, help="bytes of a bucket per process, as train sends them", **number)
    parser.add_argument("--step", default=20.0, help="assumed: ms of a step on one device", **number)
    parser.add_argument("--backward", default=0.6, help="assumed: share of it in which sums can travel", **number)
    parser.add_argument("--bandwidth", default=25.0, help="assumed: GB/s per process and direction", **number)
    parser.add_argument("--latency", default=5.0, help="assumed: microseconds of an exchange", **number)
    parser.add_argument("--overhead", default=0.5, help="assumed: microseconds of a message", **number)
    options = parser.parse_args()
    print("model, not measured: efficiency of a step\nprocesses  efficiency")
    for processes in (4, 8, 16, 32, 64, 128, 256, 512, 1000):
        print(f"{processes:9d} {100 * efficiency(processes, options):10.0f}%")


if __name__ == "__main__":
    main()
