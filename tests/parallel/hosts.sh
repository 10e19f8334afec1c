#!/bin/bash
# Two hosts on one machine: each has a network and a host name of its own, and mpirun starts a process on each through a
# script in place of ssh. The training must have the bits of one with two processes on one host; then one host is cut off
# in the middle of a training.
#   hosts.sh MPIRUN TRAIN CATALOG FOLDER
# Exit status 77 and the reason where this needs more rights or programs than there are.
set -u
mpirun=$1 train=$2 catalog=$3 folder=$4
if [ -z "${IN_NAMESPACE-}" ]; then
  for program in ip unshare nsenter pgrep; do
    command -v "$program" >/dev/null || { echo "hosts.sh: there is no $program"; exit 77; }
  done
  [ "$(id -u)" = 0 ] || { echo "hosts.sh: only root may give a process a network of its own"; exit 77; }
  unshare --net true 2>/dev/null || { echo "hosts.sh: this system allows no networks of a process's own"; exit 77; }
  # With a process namespace, all that was started here ends with this script.
  IN_NAMESPACE=1 exec unshare --net --uts --pid --mount-proc --fork "$0" "$@"
fi

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1
hostname head
ip link set lo up
ip link add bridge type bridge && ip addr add 10.77.0.1/24 dev bridge && ip link set bridge up || {
  echo "hosts.sh: this system has no bridges"; exit 77; }
for i in 1 2; do
  unshare --net --uts bash -c "hostname node$i; exec sleep 600" &
  echo $! > "$folder/node$i"
  sleep 0.3
  ip link add v$i type veth peer name e$i && ip link set v$i master bridge up && ip link set e$i netns "$!" || {
    echo "hosts.sh: this system has no pairs of network devices"; exit 77; }
  nsenter --target "$!" --net bash -c "ip link set lo up; ip addr add 10.77.0.1$i/24 dev e$i; ip link set e$i up"
done
cat > "$folder/agent" <<END
#!/bin/bash
# In place of ssh: agent HOST COMMAND…
case \$1 in 10.77.0.11) node=1 ;; 10.77.0.12) node=2 ;; *) exit 1 ;; esac
shift
exec nsenter --target "\$(cat '$folder'/node\$node)" --net --uts bash -c "\$*"
END
chmod +x "$folder/agent"

job=("$mpirun" --host 10.77.0.11:1,10.77.0.12:1 -np 2 --bind-to none --mca plm_rsh_agent "$folder/agent"
  --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24
  -x OMP_NUM_THREADS "$train" --data "$catalog")
settings=(model.channels=4 train.batch=8)
"${job[@]}" --out "$folder/hosts" "${settings[@]}" train.epochs=2 > "$folder/hosts.txt" 2>&1
echo "two hosts: status $?"

"${job[@]}" --out "$folder/cut" "${settings[@]}" train.epochs=1000000 train.timeout=5 > "$folder/cut.txt" 2>&1 &
process=$!
for ((i = 0; i < 600; ++i)); do
  [ -s "$folder/cut/metrics.csv" ] && break
  sleep 0.05
done
sleep 0.5
ip link set v2 down
cut=$SECONDS
# mpirun itself waits for the host that is gone. The training must not.
while pgrep -f "^$train .*/cut " > /dev/null && [ $((SECONDS - cut)) -lt 60 ]; do sleep 0.1; done
echo "one cut off: ended after $((SECONDS - cut)) s"
# What the training printed is still on its way through mpirun.
for ((i = 0; i < 600; ++i)); do
  grep -aq "^train: " "$folder/cut.txt" && break
  sleep 0.05
done
kill -KILL "$process"
grep -a "^train: " "$folder/cut.txt"
exit 0
